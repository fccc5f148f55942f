"""The Kubernetes port and its adapter on kubernetes.aio."""
