"""Benchmarks of kernos beside its peers: `python -m benchmarks NAME --json FILE`."""
