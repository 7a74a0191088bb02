"""Rules: a model made of plain functions, for programs and tests that need no weights."""
