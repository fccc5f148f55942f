"""The way to moto: services and operations that are not ours, in the same process."""
