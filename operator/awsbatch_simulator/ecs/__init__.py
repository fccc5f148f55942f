"""Amazon ECS: clusters, container instances and the tasks of jobs."""
