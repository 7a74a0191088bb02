"""The returns desk of a small shop."""
