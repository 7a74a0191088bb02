"""What goes into a yes, letter by letter; and for each thing that can be otherwise when the action is about to be made, that the yes is none."""

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel

from benchmarks.subject.approvals import CLAIMS, KEY
from kernos import ToolCall, tool
from kernos.adapters.joserfc.tokens import JoseTokens, OwnKey, TokenReader
from kernos.control.attestation import claims_of, complaint, own_complaint, seal_yes, shown_of, tool_digest
from kernos.control.gate import digest_of
from kernos.kernel import administration as held
from kernos.kernel.state import Phase, RunState, Step, StepKind, Voice
from kernos.testing.clock import SeededChance
from kernos.vocabulary.approval import ApprovalClaims
from kernos.vocabulary.commands import EditApproval, GrantApproval
from kernos.vocabulary.errors import BadConfiguration, BadToken, NotAllowed
from kernos.vocabulary.events import (
    ApprovalDenied,
    ApprovalEdited,
    ApprovalExplained,
    ApprovalGranted,
    ApprovalQuestioned,
    ApprovalVoiced,
    CheckpointReached,
)
from kernos.vocabulary.gate import Answer, Decision, Requirement
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, IdempotencyKey, PrincipalId, RunId, StepName, TenantId
from kernos.vocabulary.journal import TreeHead
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.own_keys import JWS_ED25519
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.undo import Undone
from tests.behaviour.past import ARGS, BY, LATER, NOW, ONE, RUN, asked, given, requested, when

TOKENS = JoseTokens(KEY)
BO = PrincipalId("person:bo")


class Order(BaseModel):
    order: str


@tool("shop.refund", effect="idempotent")
def refund(asked_for: Order, call: ToolCall) -> str:
    return "R"


WANTS = Decision(Answer.ASK, "set0", ("large", "cap"), "over 50", (Requirement("large", ("lead",), 2),))
UNDONE = Undone(IdempotencyKey("k-7"), "shop.charge", "desk", "1")
ASKED = replace(
    asked(), digest=digest_of(ARGS), gate=WANTS, undoes=UNDONE, concerns=("target:a1",), tool_digest=tool_digest(refund)
)


def test_a_person_is_shown_everything_that_the_yes_is_to() -> None:
    state = given(requested(), ASKED, ApprovalVoiced(ONE, digest_of(ARGS), "", "t", ("large",)), ApprovalQuestioned(ONE, "which?"), ApprovalExplained(ONE, "the blue one"))  # fmt: skip
    assert shown_of(state, ONE) == {
        "agent": "desk@1",
        "intent": "return the shoes",
        "checkpoint": "",
        "tool": "shop.refund",
        "effect": "idempotent",
        "arguments": {"order": "A1"},
        "reason": "over 50",
        "rules": ["large", "cap"],
        "takes_back": "k-7",
        "wants": ["rule large wants the yes of 2 different people of: lead, not whoever it acts for"],
        "said_yes": [BY],
        "remarks": [f"{BY}: which?", f"{BY}: the blue one"],
    }
    plain = shown_of(given(requested(), CheckpointReached(StepName("0"), "found", "it is there", "", ()), asked()), ONE)
    assert (plain["checkpoint"], plain["takes_back"]) == ("found", "")
    assert not {"wants", "said_yes", "remarks"} & plain.keys()
    bare = RunState(RUN, steps={ONE: Step(StepKind.CALL, "t", ARGS, Phase.ASKING, 1)})
    bare = replace(bare, requested=requested())
    assert {shown_of(bare, ONE)[name] or "" for name in ("reason", "effect", "rules")} == {""}


def test_a_yes_says_who_what_where_when_and_under_which_rules() -> None:
    state = given(requested(), CheckpointReached(StepName("0"), "found", "it is there", "", ()), ASKED)
    head = TreeHead(12, EpochMs(5), b"\xab" * 32, b"")
    said = claims_of(
        state,
        ONE,
        by=BO,
        args_digest="ab",
        gate=WANTS,
        at=NOW,
        expires_at=EpochMs(LATER + 5),
        chance=SeededChance(1),
        head=head,
    )
    assert replace(said, token_id="") == ApprovalClaims(
        token_id="", by=BO, tenant=DEFAULT_TENANT, issued_at=NOW, expires_at=LATER, tool="shop.refund", tool_digest=tool_digest(refund),
        args_digest="ab", run=RUN, step=ONE, checkpoint="found", head_size=12, head_root="ab" * 32, policy_set="set0", rules=("large", "cap"),
        shown_digest=digest_of(Json(json.dumps(shown_of(state, ONE)).encode())),
    )  # fmt: skip
    assert len(said.token_id) == 36
    early = claims_of(
        given(requested(), ASKED), ONE, by=BO, args_digest="ab", gate=WANTS, at=NOW, expires_at=EpochMs(LATER - 1), chance=SeededChance(1), head=None
    )  # fmt: skip
    assert (early.expires_at, early.checkpoint, early.head_size, early.head_root) == (LATER - 1, "", 0, "")


def shared(**keys: held.OwnKey) -> Any:
    state = held.Administration(own_keys=keys)
    return SimpleNamespace(
        tokens=TOKENS, administrator=SimpleNamespace(state=state), approval_token_ms=900_000, chance=SeededChance(2)
    )


NOW_ALLOWED = Decision(Answer.ASK, "set0", ("large", "cap"))
CALLED = replace(ASKED, gate=NOW_ALLOWED)


def granted(claims: ApprovalClaims | None = None, *, by: PrincipalId = BY, own: str = "") -> RunState:
    """Return a run whose step was said yes to."""
    state = given(requested(), CALLED)
    token, _ = seal_yes(shared(), state, ONE, BY, digest_of(ARGS), NOW_ALLOWED, NOW, None)
    said = TOKENS.seal(claims) if claims is not None else token
    voice = Voice(by, NOW, said, (), own)
    return replace(state, steps={ONE: replace(state.steps[ONE], phase=Phase.GRANTED, voices=(voice,))})


def said_by(state: RunState) -> ApprovalClaims:
    return TOKENS.read(state.steps[ONE].voices[0].token)


def wrong_with(state: RunState, at: int = NOW, now: Decision = NOW_ALLOWED, name: StepName = ONE) -> tuple[str, str]:
    return complaint(shared(), state, name, refund, EpochMs(at), now)


def test_a_yes_holds_until_it_expires() -> None:
    state = granted()
    claims = said_by(state)
    assert wrong_with(state) == (claims.token_id, "")
    assert wrong_with(state, claims.expires_at - 1) == (claims.token_id, "")
    assert wrong_with(state, claims.expires_at) == (claims.token_id, "the yes was not used within 15 min")


@pytest.mark.parametrize(("change", "told"), [
    ({"tenant": TenantId("other")}, "tenant"), ({"run": RunId("other")}, "run"), ({"step": StepName("2")}, "step"), ({"tool": "shop.charge"}, "tool"),
    ({"tool_digest": "0" * 16}, "tool as it is declared"), ({"args_digest": "0" * 64}, "arguments"), ({"policy_set": "set1"}, "policy set"),
    ({"rules": ("large",)}, "rules"), ({"by": BO}, "person"),
])  # fmt: skip
def test_a_yes_to_anything_else_is_none(change: dict[str, Any], told: str) -> None:
    state = granted(replace(said_by(granted()), **change))
    assert wrong_with(state) == (said_by(granted()).token_id, f"the yes is for another {told}")


def test_what_others_may_have_signed_and_what_nobody_signed_is_no_yes() -> None:
    state = granted()
    step = state.steps[ONE]
    forged = replace(state, steps={ONE: replace(step, voices=(replace(step.voices[0], token="a.b.c"),))})
    assert wrong_with(forged)[0] == ""
    assert "it is no token signed by this key" in wrong_with(forged)[1]
    people = replace(NOW_ALLOWED, requires=(Requirement("r", ("person:cy",)),))
    assert "rule r wants the yes of person:cy" in wrong_with(state, now=people)[1]
    asked_then = replace(state, steps={ONE: replace(step, gate=people)})
    assert "rule r wants the yes of person:cy" in wrong_with(asked_then)[1], (
        "what was wanted when it was asked counts, too"
    )


def test_a_signature_with_the_own_key_is_over_this_very_yes_and_by_a_key_that_counts() -> None:
    own = OwnKey(Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32))
    other = OwnKey(Ed25519PrivateKey.from_private_bytes(bytes([5]) * 32))
    claims = replace(CLAIMS, by=BY)
    mine = held.OwnKey(BY, own_hex(own), JWS_ED25519)
    bos = held.OwnKey(BO, own_hex(own), JWS_ED25519)
    spare = held.OwnKey(BY, own_hex(other), JWS_ED25519)
    assert own_complaint(TOKENS, {"k1": mine}, claims, own.sign(claims)) == ""
    assert own_complaint(TOKENS, {"k0": spare, "k1": mine}, claims, own.sign(claims)) == ""
    assert own_complaint(TOKENS, {"k1": bos}, claims, own.sign(claims)) == f"{BY} has no key of their own here"
    revoked = own_complaint(TOKENS, {"k1": replace(mine, is_revoked=True)}, claims, own.sign(claims))
    assert revoked == f"key k1 of {BY} was revoked, and what it signed counts no more"
    other_yes = own_complaint(TOKENS, {"k1": mine}, claims, own.sign(replace(claims, tool="x")))
    assert other_yes == f"what {BY} signed with key k1 is another yes than this one"
    assert own_complaint(TOKENS, {"k1": mine}, claims, other.sign(claims)).startswith(
        f"it is not signed with a key of {BY}: "
    )
    assert own_complaint(TOKENS, {"k1": mine}, claims, TOKENS.seal(claims)).startswith(
        f"it is not signed with a key of {BY}: "
    )
    with pytest.raises(NotAllowed, match="has no key of their own here"):
        seal_yes(shared(), given(requested(), CALLED), ONE, BY, "d", NOW_ALLOWED, NOW, None, own.sign)
    token, signature = seal_yes(
        shared(k1=mine), given(requested(), CALLED), ONE, BY, "d", NOW_ALLOWED, NOW, None, own.sign
    )
    assert token.split(".")[1] == signature.split(".")[1]
    assert TOKENS.read(token).expires_at == min(NOW + 900_000, LATER)
    held_badly = granted(own="a.b.c")
    assert wrong_with(held_badly)[1] == f"{BY} has no key of their own here"


def own_hex(key: OwnKey) -> str:
    return TokenReader.of(key.public_jwk()).newest.public_key.hex()


# --- the token's own form -----------------------------------------------------------------------------------------------


def parts(token: str) -> list[dict[str, Any]]:
    return [json.loads(urlsafe_b64decode(piece + "==")) for piece in token.split(".")[:2]]


def test_a_token_is_written_as_the_standards_say() -> None:
    header, payload = parts(TOKENS.seal(CLAIMS))
    assert header == {"alg": "Ed25519", "typ": "kernos-approval+jwt", "kid": TOKENS.newest.id}
    assert payload == {
        "iss": "kernos", "sub": "person:ana", "tenant": "default", "jti": CLAIMS.token_id, "iat": 1_790_000_000.123, "exp": 1_790_000_900.123,
        "authorization_details": [{
            "type": "kernos_action", "tool": "shop.refund", "tool_digest": "0123456789abcdef", "arguments_sha256": "ab" * 32, "run": "5r0kd7v3m2axq",
            "step": "4.1.2", "checkpoint": "found", "tree_head": {"size": 1_234, "root": "cd" * 32}, "policy_set": "fedcba9876543210",
            "rules": ["cap", "refunds"], "shown_sha256": "ef" * 32, "uses": 1,
        }],
    }  # fmt: skip
    key = json.loads(TOKENS.public_jwk())
    assert (key["kty"], key["crv"], key["alg"], key["use"], key["kid"]) == (
        "OKP",
        "Ed25519",
        "Ed25519",
        "sig",
        TOKENS.newest.id,
    )
    assert urlsafe_b64decode(key["x"] + "==") == KEY.public_key().public_bytes_raw()
    assert key.keys() == {"kty", "crv", "alg", "use", "kid", "x"}
    assert (TOKENS.newest.until_at, TOKENS.newest.is_compromised) == (0, False)


def test_a_person_s_own_signature_is_of_another_kind_than_the_stores() -> None:
    own = OwnKey(KEY)
    signature = own.sign(CLAIMS)
    assert parts(signature)[0]["typ"] == "kernos-own-approval+jwt"
    reads_both = TokenReader.of(own.public_jwk(), reads_own=True)
    assert (reads_both.read(signature), reads_both.read(TOKENS.seal(CLAIMS))) == (CLAIMS, CLAIMS)
    assert (reads_both.is_own(signature), reads_both.is_own(TOKENS.seal(CLAIMS))) == (True, False)
    for reader in (TOKENS, TokenReader.of(own.public_jwk())):
        with pytest.raises(BadToken):
            reader.read(signature)
    with pytest.raises(BadToken, match="a signature of form 'webauthn' cannot be checked here"):
        TOKENS.read_own(signature, "webauthn", KEY.public_key().public_bytes_raw())
    assert TOKENS.read_own(signature, JWS_ED25519, KEY.public_key().public_bytes_raw()) == CLAIMS


def test_a_token_is_as_long_as_any_of_ours_at_most() -> None:
    assert "the yes carries no signed token" in told("")
    assert "longer than any of ours (16384)" in told("a" * 16_385)
    assert "longer than any" not in told("a" * 16_384)


def told(token: str) -> str:
    with pytest.raises(BadToken) as refused:
        TOKENS.read(token)
    return str(refused.value)


def test_a_public_key_of_another_kind_is_refused() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    pem = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(BadConfiguration, match="not a public key of kind Ed25519"):
        TokenReader.of(pem.decode())
    x25519 = json.dumps({"kty": "OKP", "crv": "X25519", "x": json.loads(TOKENS.public_jwk())["x"]})
    with pytest.raises(BadConfiguration, match="not a public key of kind Ed25519"):
        TokenReader.of(x25519)


# --- what a run knows of a question ---------------------------------------------------------------------------------------


def test_a_question_and_its_answers_stand_in_the_run_as_they_were_given() -> None:
    state = given(requested(), ASKED)
    step = Step(
        StepKind.CALL, "shop.refund", ARGS, Phase.ASKING, 1, due_at=LATER, effect=Effect.IDEMPOTENT, digest=digest_of(ARGS), gate=WANTS,
        undoes=UNDONE, concerns=("target:a1",), tool_digest=tool_digest(refund), asked_at=NOW,
    )  # fmt: skip
    assert state.steps[ONE] == step
    voiced = given(requested(), ASKED, ApprovalVoiced(ONE, "d", "n", "tok", ("large",), "own"))
    assert voiced.steps[ONE] == replace(step, voices=(Voice(BY, NOW, "tok", ("large",), "own"),))
    done = given(requested(), ASKED, ApprovalGranted(ONE, "d", "n", "tok", ("large",), "own"))
    assert done.steps[ONE] == replace(voiced.steps[ONE], phase=Phase.GRANTED)
    assert (done.endorsed, done.refused) == (frozenset({"target:a1"}), frozenset())
    refused = given(requested(), ASKED, ApprovalDenied(ONE, "no"))
    assert (refused.endorsed, refused.refused, refused.steps[ONE].due_at) == (frozenset(), frozenset({"target:a1"}), 0)
    changed, other = Json(b'{"order":"B2"}'), Json(b'{"order":"C3"}')
    edited = given(
        requested(), ASKED, ApprovalEdited(ONE, ARGS, changed, "d2", WANTS, "n", "tok", ("large",), False, "own")
    )
    assert edited.steps[ONE] == replace(
        step, args=changed, digest="d2", proposed=ARGS, voices=(Voice(BY, NOW, "tok", ("large",), "own"),)
    )
    again = given(
        requested(),
        ASKED,
        ApprovalEdited(ONE, ARGS, changed, "d2", WANTS, is_enough=False),
        replace(ASKED, args=changed),
    )
    assert again.steps[ONE].proposed == ARGS, "asked anew, it is still known what the code proposed"
    twice = given(
        requested(), ASKED, ApprovalEdited(ONE, ARGS, changed, "d2", WANTS, is_enough=False), ApprovalEdited(ONE, changed, other, "d3", WANTS)
    )  # fmt: skip
    assert (twice.steps[ONE].proposed, twice.steps[ONE].args, twice.steps[ONE].phase) == (ARGS, other, Phase.GRANTED)


LEADS = Decision(
    Answer.ASK, "set0", ("r",), "", (Requirement("r", ("lead",), 2, is_requester_free=True, later=((60_000, "boss"),)),)
)
TWO_LEADS = replace(asked(), gate=LEADS)


def grant(by: PrincipalId, *roles: str, at: int = NOW) -> GrantApproval:
    return GrantApproval(ONE, "d1", EpochMs(at), "", "t", by, frozenset(roles))


def test_two_different_people_are_two_and_one_counts_once() -> None:
    state = given(requested(), TWO_LEADS)
    assert when(state, grant(BO, "lead")) == (ApprovalVoiced(ONE, "d1", "", "t", ("r",)),)
    first = given(requested(), TWO_LEADS, ApprovalVoiced(ONE, "d1", "", "t", ("r",)))
    assert when(first, grant(BY, "lead")) == (), "they said so before"
    assert when(first, grant(BO, "lead")) == (ApprovalGranted(ONE, "d1", "", "t", ("r",)),)
    with pytest.raises(NotAllowed, match="the yes of person:bo does not count here: rule r wants"):
        when(first, grant(BO, "clerk"))
    with pytest.raises(NotAllowed):
        when(first, grant(BO, "boss", at=NOW + 59_999))
    assert when(first, grant(BO, "boss", at=NOW + 60_000)) == (ApprovalGranted(ONE, "d1", "", "t", ("r",)),)


def test_an_edit_says_yes_to_the_changed_call_under_the_rules_for_that() -> None:
    state = given(requested(), asked())
    changed = Json(b'{"order":"B2"}')
    edit = EditApproval(ONE, changed, "d2", LEADS, NOW, "n", "t", BO, frozenset({"lead"}), "own")
    assert when(state, edit) == (ApprovalEdited(ONE, ARGS, changed, "d2", LEADS, "n", "t", ("r",), False, "own"),)
    alone = replace(edit, gate=replace(LEADS, requires=(Requirement("r", ("lead",)),)))
    assert when(state, alone)[0].is_enough is True  # type: ignore[union-attr]
    with pytest.raises(NotAllowed, match="does not count here"):
        when(state, replace(edit, roles=frozenset()))


def test_a_no_is_to_the_data_and_to_the_kind_of_action_only_where_that_was_all() -> None:
    both = given(requested(), replace(ASKED, concerns=("intent:shop.refund", "target:a1")), ApprovalDenied(ONE, "no"))
    assert both.refused == frozenset({"target:a1"})
    alone = given(requested(), replace(ASKED, concerns=("intent:shop.refund",)), ApprovalDenied(ONE, "no"))
    assert alone.refused == frozenset({"intent:shop.refund"})
    assert given(requested(), replace(ASKED, concerns=()), ApprovalDenied(ONE, "no")).refused == frozenset()
