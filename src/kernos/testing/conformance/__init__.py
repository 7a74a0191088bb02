"""Conformance: one suite a port, for whoever writes an adapter: subclass it in a test module and say how to open yours."""
