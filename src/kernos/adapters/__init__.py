"""Adapters: the world behind the ports, a folder for each technology."""
