"""AWS for people without an account: Batch, EC2, ECS and what they need, over HTTP."""
