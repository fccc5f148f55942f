"""What people get wrong with what lasts, and the remedies that they are told: one table, two rigs.

tests/component carries the rows out one by one over a stepped clock and holds each to the calls
that it may cost; tests/integration carries all of them out at once on the real API server.
"""
