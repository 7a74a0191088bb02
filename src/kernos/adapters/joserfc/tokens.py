"""The approvals port as JSON Web Signatures (RFC 7515) of alg `Ed25519` (RFC 9864), with `authorization_details` (RFC 9396)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from kernos.vocabulary.approval import ApprovalClaims
from kernos.vocabulary.errors import BadConfiguration, BadToken
from kernos.vocabulary.ids import EpochMs, PrincipalId, RunId, StepName, TenantId
from kernos.vocabulary.own_keys import JWS_ED25519
from kernos.vocabulary.signing import SigningKey

_ALGORITHM = "Ed25519"
_TYPE = "kernos-approval+jwt"
_OWN_TYPE = "kernos-own-approval+jwt"
"""What a person signs with their own key is of another kind: neither passes for the other."""
_DETAIL_TYPE = "kernos_action"
_REGISTRY = jws.JWSRegistry(algorithms=[_ALGORITHM])
_TOKEN_LENGTH_MAX = 16_384
"""Characters: ours have about 1,500; what is longer is not looked at."""

_COMPROMISED = "compromised"


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
    """Reads tokens with public keys alone: for whoever checks them away from the store."""

    def __init__(self, keys: Sequence[SigningKey], kinds: Sequence[str] = (_TYPE,)) -> None:
        """Take the keys whose tokens are read, oldest first."""
        self._readers = [_KeyReader(key, kind) for kind in kinds for key in keys]
        self.newest = keys[-1]
        self._by_header = {reader.header_text: reader for reader in self._readers}

    @classmethod
    def of(cls, text: str, *, reads_own: bool = False) -> "TokenReader":
        """Take public keys: a JSON Web Key, a set of them, or PEM. Raises BadConfiguration for anything else, and for a private key.

        `reads_own`: whether what people signed with their own keys is read, too.
        """
        try:
            given: Any = msgspec.json.decode(text) if text.lstrip().startswith("{") else text
            members = given["keys"] if isinstance(given, dict) and "keys" in given else [given]
            keys = [_key_of(member) for member in reversed(members)]
            if not keys:
                raise ValueError("it is an empty set")  # noqa: TRY301 - said once, below
        except (ValueError, JoseError, msgspec.MsgspecError, AttributeError, TypeError, KeyError) as error:
            message = f"that is not a public key of kind Ed25519, as JSON Web Key, as a set of them or as PEM: {error}"
            raise BadConfiguration(message, hint="Get it from the store's owner: `kernos approval key`.") from error
        return cls(keys, (_OWN_TYPE, _TYPE) if reads_own else (_TYPE,))

    def read(self, token: str) -> ApprovalClaims:
        """Return what a token says; see `ports/approvals.py`."""
        if not token:
            raise BadToken("the yes carries no signed token")
        if len(token) > _TOKEN_LENGTH_MAX:
            raise BadToken(f"a token of {len(token)} characters is longer than any of ours ({_TOKEN_LENGTH_MAX})")
        try:
            parts = [_exact(part) for part in token.encode("ascii").split(b".")]
            reader = self._by_header.get(parts[0], self._readers[-1])
            signed = jws.deserialize_compact(token, reader.key, registry=_REGISTRY)
        except (JoseError, ValueError, UnicodeEncodeError) as error:
            raise BadToken(f"it is no token signed by this key: {error}") from error
        if signed.headers() != reader.header or parts[0] != reader.header_text:
            raise BadToken("it is a token of another key or of another kind")
        return _claims(signed.payload)

    def key_of(self, token: str) -> SigningKey:
        """Return the key that signed a token which was read."""
        return self._by_header[_exact(token.partition(".")[0].encode("ascii"))].named

    def is_own(self, token: str) -> bool:
        """Tell whether what was read is signed with a person's own key."""
        return self._by_header[_exact(token.partition(".")[0].encode("ascii"))].header["typ"] == _OWN_TYPE

    def distrusted(self, token: str, claims: ApprovalClaims) -> str:
        """Return why a token counts no more that was read; see `ports/approvals.py`."""
        key = self.key_of(token)
        if key.is_compromised:
            return f"the key that signed the yes ({key.id}) was rotated away because others may have it"
        if key.until_at and claims.issued_at > key.until_at:
            return f"the key that signed the yes ({key.id}) had been rotated away by then"
        return ""

    def public_jwk(self) -> str:
        """Return the newest public key as a JSON Web Key."""
        return _ENCODER.encode(self._readers[-1].jwk).decode()

    def public_jwk_set(self) -> str:
        """Return all public keys as a JSON Web Key Set, the newest first."""
        return _ENCODER.encode({"keys": [reader.jwk | reader.end for reader in reversed(self._readers)]}).decode()


class _KeyReader:
    """What one key's tokens begin with, and what checks them."""

    def __init__(self, named: SigningKey, kind: str) -> None:
        self.named = named
        self.key = OKPKey.import_key(Ed25519PublicKey.from_public_bytes(named.public_key))
        self.header = {"alg": _ALGORITHM, "typ": kind, "kid": named.id}
        self.header_text = _ENCODER.encode(self.header)
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "alg": _ALGORITHM, "use": "sig", "kid": named.id}
        self.jwk["x"] = _base64(named.public_key)

    @property
    def end(self) -> dict[str, dict[str, float | str]]:
        """What a set says of a key that was rotated away, the way OpenID Federation says it of old keys."""
        if not self.named.until_at:
            return {}
        reason = _COMPROMISED if self.named.is_compromised else "superseded"
        return {"revoked": {"revoked_at": self.named.until_at / 1_000, "reason": reason}}


class JoseTokens(TokenReader):
    """Implements the approvals port with the keys of a store."""

    def __init__(self, private: Ed25519PrivateKey, older: Sequence[SigningKey] = ()) -> None:
        """Take the key that signs, and those before it, oldest first."""
        super().__init__((*older, SigningKey(private.public_key().public_bytes_raw(), EpochMs(0), 0)))
        self._private = OKPKey.import_key(private)
        self._header = self._readers[-1].header

    def seal(self, claims: ApprovalClaims) -> str:
        """Return the claims as a signed token; see `ports/approvals.py`."""
        return jws.serialize_compact(dict(self._header), _written(claims), self._private, registry=_REGISTRY)

    @staticmethod
    def read_own(signature: str, form: str, public_key: bytes) -> ApprovalClaims:
        """Return what a person signed with their own key; see `ports/approvals.py`."""
        if form != JWS_ED25519:
            raise BadToken(f"a signature of form {form!r} cannot be checked here")
        return TokenReader([SigningKey(public_key, EpochMs(0), 0)], (_OWN_TYPE,)).read(signature)


class OwnKey:
    """A person's own key, which signs what they say yes to."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        """Take the private key."""
        self._private = OKPKey.import_key(private)
        self._reader = _KeyReader(SigningKey(private.public_key().public_bytes_raw(), EpochMs(0), 0), _OWN_TYPE)

    def sign(self, claims: ApprovalClaims) -> str:
        """Return the yes, signed: the payload is byte for byte that of the token."""
        return jws.serialize_compact(dict(self._reader.header), _written(claims), self._private, registry=_REGISTRY)

    def public_jwk(self) -> str:
        """Return the public key as a JSON Web Key."""
        return _ENCODER.encode(self._reader.jwk).decode()


def _key_of(given: Any) -> SigningKey:
    """Return a public key. Raises ValueError, TypeError, AttributeError, KeyError or JoseError for what is none."""
    end: Any = {}
    if isinstance(given, dict):
        end = given.get("revoked", {})
        given = {name: value for name, value in given.items() if name != "revoked"}
    key = OKPKey.import_key(given)
    if key.is_private or not isinstance(key.raw_value, Ed25519PublicKey):
        raise ValueError("it is no public Ed25519 key")
    until_at = EpochMs(round(end["revoked_at"] * 1_000) if end else 0)
    is_compromised = bool(end) and end.get("reason") == _COMPROMISED
    return SigningKey(key.raw_value.public_bytes_raw(), EpochMs(0), 0, until_at, is_compromised=is_compromised)


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
