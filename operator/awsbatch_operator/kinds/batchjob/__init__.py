"""BatchJob: one run of a job, submitted exactly once and followed to its end."""
