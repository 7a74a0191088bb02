"""Suites that no rule was made from: each was run once before its figures were written down, and no rule was changed for a case of theirs."""
