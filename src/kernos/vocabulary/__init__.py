"""The words of kernos as frozen values: what every ring may know, and nothing that does anything."""
