"""joserfc: signed tokens (RFC 7515, RFC 9864)."""
