"""What builders and verifiers of machine images boot with, and what they say: pure texts."""
