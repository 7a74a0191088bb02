"""Testing: what users' tests and our own stand on: a virtual clock, scripted models, in-memory storage, conformance suites."""
