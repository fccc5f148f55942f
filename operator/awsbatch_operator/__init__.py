"""AWS Batch from Kubernetes manifests: the operator."""
