"""Tickets: what customers write to the shop, and, kept apart, how each should end under policy.md."""
