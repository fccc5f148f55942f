"""Queue, workers, cache, leadership, events: everything level-triggered, and no AWS."""
