"""The execution plane: runs agents' code and makes attempts. It cannot decide; it asks the control plane and reports."""
