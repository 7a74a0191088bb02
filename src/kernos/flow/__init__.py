"""Flow: the rules about where values come from and where they may go. Pure; what tools declare is in `vocabulary/flow.py`."""
