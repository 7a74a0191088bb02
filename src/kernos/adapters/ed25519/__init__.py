"""Ed25519: the deployment's key."""
