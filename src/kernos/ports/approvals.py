"""Approvals: how a person's yes is signed, and read again."""

from typing import Protocol

from kernos.vocabulary.approval import ApprovalClaims


class ApprovalTokens(Protocol):
    """Tokens signed by the deployment's key."""

    def seal(self, claims: ApprovalClaims) -> str:
        """Return the claims as a signed token (JWS compact serialisation, alg Ed25519); the same claims give the same token."""
        ...

    def read(self, token: str) -> ApprovalClaims:
        """Return what a token says. Says nothing about time or use.

        Raises BadToken for whatever is not exactly a token that `seal` made with this key.
        """
        ...

    def public_jwk(self) -> str:
        """Return the public key as a JSON Web Key (RFC 8037), for whoever checks tokens elsewhere."""
        ...
