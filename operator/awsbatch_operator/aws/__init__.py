"""AWS through small ports: boto3 adapters, rate limits, pollers, error classification."""
