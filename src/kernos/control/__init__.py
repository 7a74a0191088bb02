"""The control plane: decides, records, and says what has to be done. It performs nothing itself."""
