"""Judge: what the rules of flow say about one call. They hold without any policy, and whatever the model is told to want.

A call with consequences needs that the principal asked for such a thing, and that somebody vouches for whom it reaches, what it acts on and
how much it moves. What is missing is asked about as a datum: a person says yes once, and it counts for the rest of the run's tree.
"""

from collections.abc import Iterator, Sequence

from kernos.flow.dates import clock_of, moments_in
from kernos.flow.facts import Facts
from kernos.flow.granting import granting
from kernos.flow.records import Value, leaves
from kernos.flow.sums import asks_for_part, is_worked_out
from kernos.flow.text import addresses_in, key_of, number_of, telling_in
from kernos.vocabulary.flow import INTENT, Concern, Consequence, FlowContract, Origin, Role, Verdict
from kernos.vocabulary.gate import Answer

VOUCHED = frozenset({Origin.PRINCIPAL, Origin.INPUT, Origin.RECORD, Origin.PROOF, Origin.ENDORSED, Origin.CODE})

_FREE = frozenset({Consequence.READ})
_STRICT = frozenset(
    {Role.DESTINATION, Role.TARGET, Role.AMOUNT, Role.ADDRESS, Role.REFERENCES, Role.IDENTITY, Role.SECRET, Role.PLACE}
)
_FIRM = frozenset({Role.DESTINATION, Role.SECRET})
"""Roles that decide who gets something: a record that an outsider could have named so does not vouch for them."""
_SELECTED = frozenset({Role.DESTINATION, Role.TARGET, Role.REFERENCES})
"""Roles that decide which of the principal's own records is meant: the words must show which."""
_LINKING = frozenset({Role.TARGET, Role.DESTINATION, Role.REFERENCES})
_DEED = frozenset({Role.DESTINATION, Role.TARGET, Role.AMOUNT, Role.REFERENCES, Role.CONTENT, Role.DATE})
_TOLD = frozenset({Consequence.SHARED_WRITE, Consequence.CREDENTIAL})
"""What is another action when it says something else."""
_REPEATED = frozenset({Consequence.READ, Consequence.FETCH, Consequence.PRIVATE_WRITE})
"""What may be done again without anybody asking why."""
_DATED = frozenset({Consequence.MONEY, Consequence.COMMITMENT, Consequence.DESTRUCTIVE, Consequence.CREDENTIAL})
"""For what a date must be vouched: what binds, costs or ends something on that day."""
_INVENTED_FREELY = frozenset({Role.PLACE, Role.IDENTITY})
"""In the principal's own rooms a model may choose what nothing points to yet: the name of a new note."""
_SORTING = frozenset({Role.OPTION, Role.DATE, Role.AMOUNT})
"""Roles by which a list is cut to a kind, a time or a size."""
_GRAVE = frozenset({Consequence.DESTRUCTIVE, Consequence.MONEY, Consequence.COMMITMENT})
"""What is done to what the words name best, whichever tool told of it."""
_SHOWN_MAX = 120


def judge(tool: str, flow: FlowContract, args: Value, facts: Facts, *, by_code: bool = False) -> Verdict:
    """Return allow, or ask with every datum that nobody vouches for, or deny where a person has refused one of them.

    `by_code`: the operator's code made the arguments; otherwise a model did.
    """
    if flow.consequence in _FREE:
        return Verdict(Answer.ALLOW)
    concerns = tuple(
        concern for concern in _concerns(tool, flow, args, facts, by_code=by_code) if concern.key not in facts.endorsed
    )
    if not concerns:
        return Verdict(Answer.ALLOW)
    if any(concern.key in facts.refused for concern in concerns):
        return Verdict(Answer.DENY, concerns)
    granted = {concern.key: grant for concern in concerns if (grant := granting(tool, flow, concern, facts))}
    grounds = tuple(
        f"{one.what} = {one.value!r} rests on standing grant {granted[one.key]}"
        for one in concerns
        if one.key in granted
    )
    left = tuple(concern for concern in concerns if concern.key not in granted)
    return Verdict(Answer.ASK if left else Answer.ALLOW, left, grounds)


def is_chosen(flow: FlowContract, args: Value, facts: Facts, *, by_code: bool = False) -> bool:
    """Tell whether a reading call was told which record is wanted, by values that somebody vouches for."""
    asked = [
        (path, leaf) for path, leaf in leaves(args) if role_of(flow, path) in (Role.TARGET, Role.PLACE, Role.ADDRESS)
    ]
    return bool(asked) and all(facts.origin_of(leaf, by_code=by_code, firm=True) in VOUCHED for _, leaf in asked)


def is_vouched(args: Value, facts: Facts, *, by_code: bool = False) -> bool:
    """Tell whether somebody vouches for all that a reading call was asked with; a model may add plain words."""
    return all(
        facts.origin_of(leaf, by_code=by_code) is not Origin.UNTRUSTED
        for _, leaf in leaves(args)
        if leaf is not None and not isinstance(leaf, bool)
    )


def is_open(args: Value, facts: Facts, *, by_code: bool = False) -> bool:
    """Tell whether a reading call was asked with nothing, or only with what somebody vouches for or with words that were said."""
    return all(
        facts.origin_of(leaf, by_code=by_code) in VOUCHED or facts.words.hold(str(leaf))
        for _, leaf in leaves(args)
        if leaf is not None and not isinstance(leaf, bool) and leaf != ""
    )


def leaves_out(flow: FlowContract, args: Value, facts: Facts, *, by_code: bool = False) -> bool:
    """Tell whether a reading call was asked for something particular that nobody spoke of: then what it did not answer may be what they mean.

    A choice from a few, a date or a number narrows nothing down to one record.
    """
    asked = [(role_of(flow, path), leaf) for path, leaf in leaves(args)]
    return any(
        not (isinstance(leaf, bool) or leaf in (None, "") or role in _SORTING)
        and not (role is not Role.TARGET and (number_of(leaf) is not None or any(True for _ in moments_in(leaf))))
        and facts.origin_of(leaf, by_code=by_code) not in VOUCHED
        and not (role is not Role.TARGET and facts.selection.hint_at(str(leaf)))
        for role, leaf in asked
    )


def unvouched(flow: FlowContract, args: Value, facts: Facts, *, by_code: bool = False) -> list[Value]:
    """Return the values that a call with consequences writes although nobody vouches for them: they stay so when they are read back."""
    if flow.consequence in (Consequence.READ, Consequence.FETCH):
        return []
    found: list[Value] = []
    for path, leaf in leaves(args):
        if role_of(flow, path) is Role.CONTENT and isinstance(leaf, str):
            found.extend(one for one in addresses_in(leaf) if facts.origin_of(one, by_code=by_code) not in VOUCHED)
        if facts.origin_of(leaf, by_code=by_code) not in VOUCHED:
            found.append(leaf)
    return found


def role_of(flow: FlowContract, path: str) -> Role:
    """Return the role of an argument by its path; content where none is declared for it or for what it is part of."""
    while path:
        role = flow.roles.get(path)
        if role is not None:
            return role
        path = path.rpartition(".")[0]
    return Role.CONTENT


def _concerns(tool: str, flow: FlowContract, args: Value, facts: Facts, *, by_code: bool) -> Iterator[Concern]:
    fetches = flow.consequence is Consequence.FETCH
    if not fetches and not by_code and not facts.words.ask_for(tool, flow, facts.tools):
        reason = f"nothing in what was asked shows that {tool} is wanted ({flow.consequence.replace('_', ' ')})"
        yield Concern(f"{INTENT}{tool}", "intent", tool, Origin.MODEL, reason)
    yield from _repeated(tool, flow, args, facts, by_code=by_code)
    parts = [(path, leaf, role_of(flow, path)) for path, leaf in leaves(args)]
    links = _links(parts)
    for path, leaf, role in parts:
        if leaf is None or isinstance(leaf, bool) or leaf == "":
            continue
        if role is Role.AMOUNT:
            yield from _amount(path, leaf, links, facts, by_code=by_code)
        elif fetches:
            yield from _fetched(path, role, str(leaf), facts, by_code=by_code)
        elif role is Role.DATE and flow.consequence in _DATED:
            yield from _dated(flow, path, leaf, facts, by_code=by_code)
        elif role in _STRICT:
            yield from _placed(flow, path, role, leaf, facts, by_code=by_code)
        if role is not Role.SECRET:
            yield from _content(flow, path, role, str(leaf), facts, by_code=by_code)


def _repeated(tool: str, flow: FlowContract, args: Value, facts: Facts, *, by_code: bool) -> Iterator[Concern]:
    """Judge whether it was done before: an action is wanted once, and somebody is told something once until the principal speaks again."""
    done = facts.told if flow.consequence is Consequence.EGRESS else facts.made
    if by_code or not done:
        return
    moved = moved_key(flow, args)
    if moved and facts.moved.get(moved, tool) != tool:
        why = f"{facts.moved[moved]} has moved this amount to them before in this run"
        yield Concern(f"again:{moved}", "again", tool, Origin.MODEL, f"{tool}: {why}")
        return
    if (deed := deed_key(tool, flow, args)) not in done:
        return
    why = f"{tool} with these arguments was made before in this run"
    if flow.consequence is Consequence.EGRESS:
        strict = [(role_of(flow, path), leaf) for path, leaf in leaves(args) if leaf is not None]
        reached = {f"{role}:{key_of(str(leaf))}" for role, leaf in strict if role in (Role.DESTINATION, Role.TARGET)}
        if reached and reached <= facts.endorsed:
            return  # A person said yes to writing to them.
        why = f"{tool} told them something before, and nobody said since that they should hear more"
    yield Concern(f"again:{deed}", "again", tool, Origin.MODEL, why)


def _placed(
    flow: FlowContract, path: str, role: Role, leaf: Value, facts: Facts, *, by_code: bool
) -> Iterator[Concern]:
    is_private = flow.consequence is Consequence.PRIVATE_WRITE
    if is_private and role is Role.DESTINATION:
        return  # A draft goes nowhere; who sends it is asked then, for what it wrote is remembered as nobody's word.
    if is_private and role in _INVENTED_FREELY and _may_invent(role, str(leaf), facts):
        return
    origin = facts.origin_of(
        leaf,
        by_code=by_code,
        firm=role in _FIRM and not is_private,
        selected=role in _SELECTED and not is_private,
        told=role is Role.TARGET and flow.consequence is Consequence.EGRESS,
    )
    if origin not in VOUCHED:
        yield _concern(path, role, leaf, origin, "nobody vouches for it")
    elif role is Role.TARGET and flow.consequence in _GRAVE and facts.selection.is_outnamed(leaf):
        yield _concern(path, role, leaf, origin, "more of what was said names something else")


def _may_invent(role: Role, text: str, facts: Facts) -> bool:
    """Tell whether a model may choose it: any name for what is new, and somebody's name, but nothing that reaches them."""
    return role is Role.PLACE or (not facts.stands_outside(text) and not any(True for _ in addresses_in(text)))


def _links(parts: Sequence[tuple[str, Value, Role]]) -> frozenset[str]:
    """Return, by key, what a call acts on and who gets it."""
    if not any(role is Role.AMOUNT for _, _, role in parts):
        return frozenset()  # Only amounts ask for it.
    return frozenset(key_of(str(leaf)) for _, leaf, role in parts if leaf is not None and role in _LINKING)


def deed_key(tool: str, flow: FlowContract, args: Value) -> str:
    """Return under what an action is known that nobody wants twice by accident; empty for what may well be repeated."""
    if flow.consequence in _REPEATED:
        return ""
    kept = _DEED if flow.consequence in _TOLD else _DEED - {Role.CONTENT}
    if flow.consequence is Consequence.MONEY and Role.TARGET in flow.roles.values():
        kept -= {Role.AMOUNT}  # Whatever is paid for one thing is paid for it once.
    strict = sorted(
        f"{path}={key_of(str(leaf))}" for path, leaf in leaves(args) if leaf is not None and role_of(flow, path) in kept
    )
    return f"{tool}({', '.join(strict)})"


def moved_key(flow: FlowContract, args: Value) -> str:
    """Return under what it is known how much goes to whom, by whatever tool; empty where a call moves nothing."""
    if flow.consequence is not Consequence.MONEY:
        return ""
    parts = sorted(
        f"{role}:{key_of(str(leaf))}"
        for path, leaf in leaves(args)
        if leaf is not None and (role := role_of(flow, path)) in (Role.DESTINATION, Role.AMOUNT)
    )
    return ", ".join(parts) if len(parts) > 1 else ""


def _amount(path: str, leaf: Value, links: frozenset[str], facts: Facts, *, by_code: bool) -> Iterator[Concern]:
    origin = facts.origin_of_number(leaf, links, by_code=by_code)
    number = number_of(leaf)
    if origin is Origin.PROOF and asks_for_part(facts.words.texts):
        origin = Origin.MODEL  # Half of it was asked for: the whole is nobody's word.
    if origin in VOUCHED or (number is not None and is_worked_out(number, links, facts)):
        return
    yield _concern(path, Role.AMOUNT, leaf, origin, "nobody vouches for this amount")


def _dated(flow: FlowContract, path: str, leaf: Value, facts: Facts, *, by_code: bool) -> Iterator[Concern]:
    """Judge on which day something happens that binds or costs: one that the words say, or one of a record that they mean.

    Where they say no day, a payment may be made on any that no outsider proposes; a commitment needs one that somebody vouches for.
    """
    origin = facts.origin_of(leaf, by_code=by_code, selected=True)
    when, found = facts.words.when, list(moments_in(leaf))
    if origin in VOUCHED or (found and all(when.fit(one) for one in found)):
        return
    if not found and (clock := clock_of(leaf)) is not None and when.fit_clock(clock):
        return
    if when.is_silent:
        origin = facts.origin_of(leaf, by_code=by_code)
        if origin in VOUCHED:
            return
        days = [one.day for one in found]
        if flow.consequence is Consequence.MONEY and days and not any(map(facts.is_day_proposed, days)):
            return
    yield _concern(path, Role.DATE, leaf, origin, "nobody vouches for this date")


def _fetched(path: str, role: Role, text: str, facts: Facts, *, by_code: bool) -> Iterator[Concern]:
    """Judge an argument that a place outside learns: an address may be one that was said or read; it carries nothing private."""
    origin = facts.origin_of(text, by_code=by_code)
    if role is Role.ADDRESS:
        if origin in VOUCHED:
            return
        if not facts.stands_outside(text):
            yield _concern(path, role, text, origin, "it stands nowhere, so it may carry anything out")
        elif not facts.may_be_opened(text):
            yield _concern(path, role, text, origin, "nobody spoke of a page or a link, and somebody only wrote it")
    elif origin not in VOUCHED and not facts.stands_outside(text):
        private = sorted(one for one in telling_in(text) if not facts.words.say(one))
        if private:
            yield _concern(path, role, text, origin, f"it would carry {', '.join(private[:3])} out")


def _content(flow: FlowContract, path: str, role: Role, text: str, facts: Facts, *, by_code: bool) -> Iterator[Concern]:
    """Judge what travels in an argument, whatever its role: no secret, and no address that nobody vouches for."""
    for secret in sorted(facts.secrets_in(text)):
        if not facts.words.say(secret):
            key = f"secret:{key_of(secret)}"
            yield Concern(key, path, "(a secret)", Origin.RECORD, f"{path} would carry a secret out")
    if role is not Role.CONTENT or flow.consequence in (Consequence.PRIVATE_WRITE, Consequence.FETCH):
        return
    for detail in sorted(set(facts.selection.details_in(text))):
        if not facts.words.say(detail):
            yield _concern(path, role, detail, Origin.UNTRUSTED, "it tells about somebody whom nobody spoke of")
    for address in addresses_in(text):
        origin = facts.origin_of(address, by_code=by_code, selected=True)
        if origin not in VOUCHED:
            yield _concern(path, role, address, origin, "an address that nobody vouches for")


def _concern(what: str, role: Role, value: Value, origin: Origin, why: str) -> Concern:
    text = str(value)
    shown = text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
    whence = {
        Origin.UNTRUSTED: "it comes from text that an outsider may have written",
        Origin.MODEL: "a model made it up",
    }.get(origin, f"its origin is {origin}")
    return Concern(f"{role}:{key_of(text)}", what, shown, origin, f"{what} = {shown!r}: {why}, {whence}")
