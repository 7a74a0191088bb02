"""Signed answers: only what was sealed is read, and nothing that differs in a byte."""

import json
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import fields, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from benchmarks.subject.approvals import CLAIMS, KEY, mutated, mutated_claims
from kernos.adapters.joserfc.tokens import JoseTokens, TokenReader
from kernos.vocabulary.approval import ApprovalClaims
from kernos.vocabulary.errors import BadConfiguration, BadToken
from kernos.vocabulary.ids import EpochMs
from kernos.vocabulary.signing import SigningKey, key_id

TOKENS = JoseTokens(KEY)
TOKEN = TOKENS.seal(CLAIMS)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
TIMES = st.integers(0, 2**43)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def part(at: int) -> bytes:
    text = TOKEN.split(".")[at]
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(header: dict[str, Any], payload: bytes) -> str:
    registry = jws.JWSRegistry(algorithms=["Ed25519"])
    return jws.serialize_compact(header, payload, OKPKey.import_key(KEY), registry=registry)


def forged(header: dict[str, object], payload: bytes, private: Ed25519PrivateKey = KEY) -> str:
    """Return a token that is rightly signed over any header and payload."""
    pieces = [urlsafe_b64encode(raw).rstrip(b"=") for raw in (json.dumps(header).encode(), payload)]
    signed = b".".join(pieces)
    return b".".join([signed, urlsafe_b64encode(private.sign(signed)).rstrip(b"=")]).decode()


@given(texts=st.tuples(*[TEXTS] * 6), issued_at=TIMES, expires_at=TIMES, size=TIMES, rules=st.lists(TEXTS, max_size=3))
def test_what_was_sealed_is_read_again(
    texts: tuple[str, ...], issued_at: int, expires_at: int, size: int, rules: list[str]
) -> None:
    names = ("by", "tenant", "tool", "checkpoint", "policy_set", "step")
    more: dict[str, Any] = {"issued_at": issued_at, "expires_at": expires_at, "head_size": size, "rules": tuple(rules)}
    claims = replace(CLAIMS, **more, **dict[str, Any](zip(names, texts, strict=True)))
    assert TOKENS.read(TOKENS.seal(claims)) == claims
    assert TokenReader.of(TOKENS.public_jwk()).read(TOKENS.seal(claims)) == claims


def test_no_token_that_differs_in_a_byte_is_read() -> None:
    chance = random.Random(7)
    for changed in (mutated(TOKEN, chance) for _ in range(3_000)):
        with pytest.raises(BadToken):
            TOKENS.read(changed)


def test_each_claim_is_bound_by_the_signature() -> None:
    chance = random.Random(7)
    names = {name for name, _ in (mutated_claims(CLAIMS, chance) for _ in range(300))}
    assert names == {column.name for column in fields(ApprovalClaims)}
    for _ in range(300):
        _, claims = mutated_claims(CLAIMS, chance)
        head, _, signature = TOKEN.split(".")
        with pytest.raises(BadToken):
            TOKENS.read(f"{head}.{TOKENS.seal(claims).split('.')[1]}.{signature}")


def test_a_token_of_another_key_or_kind_is_no_token() -> None:
    header = json.loads(part(0))
    secret = OctKey.import_key(KEY.public_key().public_bytes_raw())
    registry = jws.JWSRegistry(algorithms=["HS256"])
    for changed in (
        JoseTokens(OTHER).seal(CLAIMS),
        forged({"alg": "none", "typ": header["typ"], "kid": header["kid"]}, part(1)),
        forged({"alg": "EdDSA", "typ": header["typ"], "kid": header["kid"]}, part(1)),
        forged({**header, "typ": "JWT"}, part(1)),
        forged({**header, "kid": "0" * 16}, part(1)),
        forged({**header, "jku": "https://keys.example"}, part(1)),
        jws.serialize_compact({**header, "alg": "HS256"}, part(1), secret, registry=registry),
        signed({"alg": "Ed25519"}, part(1)),
        f"{TOKEN}.",
        f"{TOKEN}=",
        f" {TOKEN}",
        TOKEN.rpartition(".")[0] + ".",
        "é.é.é",
        "a" * 20_000,
        "",
    ):
        with pytest.raises(BadToken):
            TOKENS.read(changed)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b"nothing",
        b'{"sub":"person:ana"}',
        part(1).replace(b'"uses":1', b'"uses":2'),
        part(1).replace(b'"type":"kernos_action"', b'"type":"payment"'),
        part(1).replace(b'"iss":"kernos"', b'"iss":"other"'),
        part(1)[:-1] + b',"more":1}',
        part(1) + b" ",
        part(1).replace(b'"exp":', b'"exp":1e400,"x":'),
    ],
)
def test_a_signed_text_that_is_no_approval_is_no_token(payload: bytes) -> None:
    sealed = signed(json.loads(part(0)), payload)
    with pytest.raises(BadToken):
        TOKENS.read(sealed)


@pytest.mark.parametrize("text", ["", "{}", "nothing", '{"kty":"oct","k":"AAAA"}', '{"kty":"OKP"}', "[1]"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(BadConfiguration, match="public key"):
        TokenReader.of(text)


def test_a_private_key_is_not_taken_for_a_public_one() -> None:
    private = OKPKey.import_key(OTHER).as_pem(private=True).decode()
    with pytest.raises(BadConfiguration, match="public key"):
        TokenReader.of(private)
    public = OKPKey.import_key(KEY).as_pem(private=False).decode()
    assert TokenReader.of(public).read(TOKEN) == CLAIMS


SPRING = SigningKey(OTHER.public_key().public_bytes_raw(), EpochMs(0), 0, EpochMs(CLAIMS.issued_at + 1_000), 7)
"""A key that was rotated away a second after the claims were made."""

OLD_TOKEN = JoseTokens(OTHER).seal(CLAIMS)


def test_tokens_of_a_key_that_was_rotated_away_are_read_and_count_as_far_as_it_is_trusted() -> None:
    stolen = replace(SPRING, is_compromised=True)
    late = replace(CLAIMS, issued_at=EpochMs(SPRING.until_at + 1))
    for older, claims, why in (
        (SPRING, CLAIMS, ""),
        (SPRING, replace(CLAIMS, issued_at=SPRING.until_at), ""),
        (SPRING, late, "had been rotated away by then"),
        (stolen, CLAIMS, "others may have it"),
        (stolen, late, "others may have it"),
    ):
        tokens = JoseTokens(KEY, [older])
        token = JoseTokens(OTHER).seal(claims)
        assert tokens.read(token) == claims
        assert tokens.key_of(token) == older
        assert why in tokens.distrusted(token, claims)
        assert bool(why) == bool(tokens.distrusted(token, claims))
        assert tokens.distrusted(tokens.seal(late), late) == ""
        anywhere = TokenReader.of(tokens.public_jwk_set())
        assert anywhere.read(token) == claims
        assert anywhere.distrusted(token, claims) == tokens.distrusted(token, claims)
        assert anywhere.read(tokens.seal(claims)) == claims
        assert anywhere.newest.public_key == KEY.public_key().public_bytes_raw()


def test_a_token_under_the_header_of_one_key_signed_by_another_is_no_token() -> None:
    tokens = JoseTokens(KEY, [SPRING])
    for header, signer in ((TOKEN, OTHER), (OLD_TOKEN, KEY)):
        head = urlsafe_b64decode(header.split(".")[0] + "==")
        changed = forged(json.loads(head), part(1), signer)
        signed_part = b".".join([header.split(".")[0].encode(), TOKEN.split(".")[1].encode()])
        mixed = f"{signed_part.decode()}.{urlsafe_b64encode(signer.sign(signed_part)).rstrip(b'=').decode()}"
        for bad in (changed, mixed):
            with pytest.raises(BadToken):
                tokens.read(bad)
    with pytest.raises(BadToken):
        JoseTokens(KEY).read(OLD_TOKEN)
    with pytest.raises(BadToken):
        TokenReader.of(tokens.public_jwk()).read(OLD_TOKEN)


def test_the_set_of_keys_names_the_newest_first_and_says_what_ended_the_others() -> None:
    keys = json.loads(JoseTokens(KEY, [SPRING, replace(SPRING, is_compromised=True)]).public_jwk_set())["keys"]
    assert keys[0] == json.loads(TOKENS.public_jwk())
    at = SPRING.until_at / 1_000
    ends = [{"revoked_at": at, "reason": "compromised"}, {"revoked_at": at, "reason": "superseded"}]
    assert [key["revoked"] for key in keys[1:]] == ends
    assert [key["kid"] for key in keys] == [key_id(KEY.public_key().public_bytes_raw()), SPRING.id, SPRING.id]


@pytest.mark.parametrize("end", ["[]", '{"reason":"x"}', '{"revoked_at":"x"}', "7", '{"revoked_at":1e400}'])
def test_a_set_that_says_nonsense_of_a_key_is_refused(end: str) -> None:
    jwk = TOKENS.public_jwk()
    for text in (f'{{"keys":[{jwk[:-1]},"revoked":{end}}}]}}', '{"keys":[]}', '{"keys":7}', '{"keys":[[]]}'):
        if end == "[]" and "revoked" in text:
            continue  # Nothing is said.
        with pytest.raises(BadConfiguration, match="public key"):
            TokenReader.of(text)
