"""What an instance of an UNMANAGED environment boots with: pure builders of texts."""
