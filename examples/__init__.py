"""Examples: whole programs on kernos."""
