"""Approvals: how a person's yes is signed, and read again."""

from collections.abc import Callable
from typing import Protocol

from kernos.vocabulary.approval import ApprovalClaims

SignYes = Callable[[ApprovalClaims], str]
"""Signs a yes with the key of whoever says it, and returns the signature; what is signed is what the token says."""


class ApprovalTokens(Protocol):
    """Tokens signed by the deployment's key, and before it was rotated by those before it."""

    def seal(self, claims: ApprovalClaims) -> str:
        """Return the claims as a signed token (JWS compact serialisation, alg Ed25519); the same claims give the same token."""
        ...

    def read(self, token: str) -> ApprovalClaims:
        """Return what a token says. Says nothing about time or use.

        Raises BadToken for whatever is not exactly a token that `seal` made with one of the deployment's keys.
        """
        ...

    def distrusted(self, token: str, claims: ApprovalClaims) -> str:
        """Return why the key of a token counts no more for it; empty: it does. `claims`: what `read` returned for this token."""
        ...

    def read_own(self, signature: str, form: str, public_key: bytes) -> ApprovalClaims:
        """Return what a person signed with their own key; `form`: how, see `vocabulary/own_keys.py`.

        Raises BadToken for whatever is not exactly a signature of this form, by this key, over a yes.
        """
        ...

    def public_jwk(self) -> str:
        """Return the public key in force as a JSON Web Key (RFC 8037), for whoever checks tokens elsewhere."""
        ...

    def public_jwk_set(self) -> str:
        """Return all public keys as a JSON Web Key Set (RFC 7517), the newest first; those rotated away say since when."""
        ...
