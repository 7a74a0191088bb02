"""Programs that measure kernos' peers; each runs as a process of its own, in the peer's own virtual environment."""
