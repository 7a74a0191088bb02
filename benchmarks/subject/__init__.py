"""Programs that measure kernos itself; each runs as a process of its own, as its peers do."""
