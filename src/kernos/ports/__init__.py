"""Ports: what kernos asks of the world, each a Protocol of at most seven methods with its guarantees."""
