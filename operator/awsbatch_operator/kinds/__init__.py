"""One room per kind, and the one life cycle that all of them share."""
