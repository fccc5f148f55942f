"""Requests of every kind, sound and unsound, for every operation that the simulator implements."""
