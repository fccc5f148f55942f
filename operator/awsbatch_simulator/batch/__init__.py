"""AWS Batch: environments, queues, definitions, policies and jobs."""
