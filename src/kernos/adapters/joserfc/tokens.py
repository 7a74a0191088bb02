"""The approvals port as JSON Web Signatures (RFC 7515) of alg `Ed25519` (RFC 9864), with `authorization_details` (RFC 9396)."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from kernos.vocabulary.approval import ApprovalClaims
from kernos.vocabulary.errors import BadConfiguration, BadToken
from kernos.vocabulary.ids import EpochMs, PrincipalId, RunId, StepName, TenantId

_ALGORITHM = "Ed25519"
_TYPE = "kernos-approval+jwt"
_DETAIL_TYPE = "kernos_action"
_REGISTRY = jws.JWSRegistry(algorithms=[_ALGORITHM])
_TOKEN_LENGTH_MAX = 16_384
"""Characters: ours have about 1,500; what is longer is not looked at."""

_KEY_ID_DIGITS = 16


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: int
    root: str


class _Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str
    tool: str
    tool_digest: str
    arguments_sha256: str
    run: str
    step: str
    checkpoint: str
    tree_head: _Head
    policy_set: str
    rules: tuple[str, ...]
    shown_sha256: str
    uses: int


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    iss: str
    sub: str
    tenant: str
    jti: str
    iat: float
    exp: float
    authorization_details: tuple[_Detail, ...]


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Payload)


class TokenReader:
    """Reads tokens with the public key alone: for whoever checks them away from the store."""

    def __init__(self, public: Ed25519PublicKey) -> None:
        """Take the key whose tokens are read."""
        self._public = OKPKey.import_key(public)
        raw = public.public_bytes_raw()
        self._header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": hashlib.sha256(raw).hexdigest()[:_KEY_ID_DIGITS]}
        self._jwk = {"kty": "OKP", "crv": "Ed25519", "alg": _ALGORITHM, "use": "sig", "kid": self._header["kid"]}
        self._jwk["x"] = _base64(raw)

    @classmethod
    def of(cls, text: str) -> "TokenReader":
        """Take a public key as JSON Web Key or as PEM. Raises BadConfiguration for anything else, and for a private key."""
        try:
            given: Any = msgspec.json.decode(text) if text.lstrip().startswith("{") else text
            key = OKPKey.import_key(given)
            if key.is_private or not isinstance(key.raw_value, Ed25519PublicKey):
                raise ValueError("it is no public Ed25519 key")  # noqa: TRY301 - said once, below
        except (ValueError, JoseError, msgspec.DecodeError, AttributeError, TypeError) as error:
            message = f"that is not a public key of kind Ed25519, as JSON Web Key or as PEM: {error}"
            raise BadConfiguration(message, hint="Get it from the store's owner: `kernos approval key`.") from error
        return cls(key.raw_value)

    def read(self, token: str) -> ApprovalClaims:
        """Return what a token says; see `ports/approvals.py`."""
        if not token:
            raise BadToken("the yes carries no signed token")
        if len(token) > _TOKEN_LENGTH_MAX:
            raise BadToken(f"a token of {len(token)} characters is longer than any of ours ({_TOKEN_LENGTH_MAX})")
        try:
            parts = [_exact(part) for part in token.encode("ascii").split(b".")]
            signed = jws.deserialize_compact(token, self._public, registry=_REGISTRY)
        except (JoseError, ValueError, UnicodeEncodeError) as error:
            raise BadToken(f"it is no token signed by this key: {error}") from error
        if signed.headers() != self._header or parts[0] != _ENCODER.encode(self._header):
            raise BadToken("it is a token of another key or of another kind")
        return _claims(signed.payload)

    def public_jwk(self) -> str:
        """Return the public key as a JSON Web Key."""
        return _ENCODER.encode(self._jwk).decode()


class JoseTokens(TokenReader):
    """Implements the approvals port with the key of a store."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        """Take the key that signs."""
        super().__init__(private.public_key())
        self._private = OKPKey.import_key(private)

    @classmethod
    def at(cls, path: Path) -> "JoseTokens":
        """Read the key in the file at `path` (PKCS 8, PEM). Raises BadConfiguration."""
        try:
            key = OKPKey.import_key(path.read_bytes())
        except (OSError, ValueError, JoseError) as error:
            message = f"{path} could not be read as the key that signs people's answers: {error}"
            raise BadConfiguration(message, hint="Restore the key file that belongs to this store.") from error
        if not isinstance(key.raw_value, Ed25519PrivateKey):
            message = f"{path} holds a key of another kind than Ed25519"
            raise BadConfiguration(message, hint="Restore the key file that belongs to this store.")
        return cls(key.raw_value)

    def seal(self, claims: ApprovalClaims) -> str:
        """Return the claims as a signed token; see `ports/approvals.py`."""
        return jws.serialize_compact(dict(self._header), _written(claims), self._private, registry=_REGISTRY)


def _written(claims: ApprovalClaims) -> bytes:
    detail = _Detail(
        type=_DETAIL_TYPE,
        tool=claims.tool,
        tool_digest=claims.tool_digest,
        arguments_sha256=claims.args_digest,
        run=claims.run,
        step=claims.step,
        checkpoint=claims.checkpoint,
        tree_head=_Head(claims.head_size, claims.head_root),
        policy_set=claims.policy_set,
        rules=claims.rules,
        shown_sha256=claims.shown_digest,
        uses=1,
    )
    payload = _Payload(
        iss="kernos",
        sub=claims.by,
        tenant=claims.tenant,
        jti=claims.token_id,
        iat=claims.issued_at / 1_000,
        exp=claims.expires_at / 1_000,
        authorization_details=(detail,),
    )
    return _ENCODER.encode(payload)


def _claims(payload: bytes) -> ApprovalClaims:
    try:
        said = _DECODER.decode(payload)
        (detail,) = said.authorization_details
        claims = ApprovalClaims(
            token_id=said.jti,
            by=PrincipalId(said.sub),
            tenant=TenantId(said.tenant),
            issued_at=EpochMs(round(said.iat * 1_000)),
            expires_at=EpochMs(round(said.exp * 1_000)),
            tool=detail.tool,
            tool_digest=detail.tool_digest,
            args_digest=detail.arguments_sha256,
            run=RunId(detail.run),
            step=StepName(detail.step),
            checkpoint=detail.checkpoint,
            head_size=detail.tree_head.size,
            head_root=detail.tree_head.root,
            policy_set=detail.policy_set,
            rules=detail.rules,
            shown_digest=detail.shown_sha256,
        )
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise BadToken(f"it is signed, and says something else than an approval: {error}") from error
    if _written(claims) != payload:
        raise BadToken("it is signed, and not written the way approvals are")
    return claims


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _exact(part: bytes) -> bytes:
    """Decode one part of a token. Raises ValueError where other characters would mean the same bytes."""
    try:
        raw = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except NotBase64 as error:
        raise ValueError(f"a part is no base64: {error}") from error
    if _base64(raw).encode() != part:
        raise ValueError("a part is not written the one way that base64url has for it")
    return raw
