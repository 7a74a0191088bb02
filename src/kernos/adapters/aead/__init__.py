"""AEAD: encryption of sealed values (AES-256-GCM, RFC 5116)."""
