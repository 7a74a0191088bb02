"""The kernel: what must happen, as pure functions over frozen values. It reads no clock, no chance, no environment."""
