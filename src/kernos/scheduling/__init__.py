"""Scheduling: whose turn it is at something scarce, how much of it there is, and what a run still needs. Pure: who calls says what time it is."""
