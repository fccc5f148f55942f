"""A Kubernetes cluster of one node on this machine, for tests of a whole installation."""
