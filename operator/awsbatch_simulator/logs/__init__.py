"""CloudWatch Logs: where jobs write and users read."""
