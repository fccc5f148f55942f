"""The only importer of Kopf: events into the cache and the queue."""
