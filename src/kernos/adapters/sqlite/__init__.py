"""SQLite: the journal and its projections in one file, with what lies beside it (key, heads, payloads, lock)."""
