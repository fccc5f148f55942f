"""One kind: all that a change of it touches."""
