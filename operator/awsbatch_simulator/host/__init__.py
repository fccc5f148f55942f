"""Hosts: what an instance does by itself: boots its user data, starts its agent, shuts down."""
