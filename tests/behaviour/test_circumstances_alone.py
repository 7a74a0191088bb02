"""Circumstances by themselves: each count, record and name over a store in memory and a run's own steps, where it turns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from kernos.control.circumstances import Around, Circumstances
from kernos.control.gate import digest_of
from kernos.control.projections.counts import TABLE
from kernos.kernel.state import Phase, Step, StepKind
from kernos.vocabulary.circumstances import MODEL_CALLS, Counted, Counter, Declared, KeyPath, RecordRead, Totals
from kernos.vocabulary.flow import Concern, Origin, Verdict
from kernos.vocabulary.gate import Answer, Decision
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, RunId, StepName, TenantId
from kernos.vocabulary.journal import RowOp
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.sealing import Handle
from tests.behaviour.past import given, requested

ORDER, CENTS = KeyPath(("order",)), KeyPath(("cents",))
PAID = Counter("paid", ("refund",), ORDER, CENTS)
KEY = f'{DEFAULT_TENANT} ["A1"]'
NOW = EpochMs(1_000_000)


@dataclass(frozen=True)
class Entry:
    counter: str
    at: int
    amount: int
    run: str = "one"
    step: str = "1"
    key: str = KEY


class Disk:
    """Entries as they stand on disk."""

    def __init__(self, *entries: Entry) -> None:
        self.entries = list(entries)

    def totals(self, table: str, where: Mapping[str, Any], *, of: str, at: str) -> Totals:
        assert (table, of, at) == (TABLE.name, "amount", "at")
        begin, until = where["at"]
        found = [
            one
            for one in self.entries
            if all(getattr(one, name) == value for name, value in where.items() if name != "at")
            and one.at >= begin
            and (until is None or one.at < until)
        ]
        return Totals(len(found), sum(one.amount for one in found), EpochMs(max((one.at for one in found), default=0)))


@dataclass
class Under:
    """An append on its way."""

    is_over: bool = False


def knowing(
    *counters: Counter, disk: Disk | None = None, records: tuple[RecordRead, ...] = (), now: int = NOW, **more: Any
) -> Circumstances:
    declared = Declared(counters=counters, records=records, **more)
    administrator = SimpleNamespace(state=SimpleNamespace(members={
        (DEFAULT_TENANT, "person:ana"): frozenset({"lead", "clerk"}), (TenantId("shop"), "person:ana"): frozenset({"boss"}), (DEFAULT_TENANT, "person:bo"): frozenset({"x"}),
    }))  # fmt: skip
    return Circumstances(declared, disk or Disk(), SimpleNamespace(now=lambda: EpochMs(now)), administrator)  # type: ignore[arg-type]


def put(run: str, at: int, amount: int, counter: str = "paid", step: str = "1", key: str = KEY) -> RowOp:
    return RowOp("put", TABLE.name, (run, StepName(step), counter), {"key": key, "at": at, "amount": amount})


def drop(run: str, step: str = "1", counter: str = "paid") -> RowOp:
    return RowOp("drop", TABLE.name, (run, StepName(step), counter), {})


# --- what an action adds -------------------------------------------------------------------------------------------------


def test_an_action_adds_to_each_counter_that_names_its_tool() -> None:
    closing = Counter("closed", ("close",), ORDER)
    since = Counter("since", ("refund",), ORDER, since=("close", "refund"))
    own = Counter("own", ("refund", "look"), ORDER, in_run=True)
    known = knowing(PAID, closing, since, own)
    args = Json(b'{"order":"A1","cents":5}')
    assert known.counted(DEFAULT_TENANT, "refund", args) == (
        Counted("paid", KEY, 5), Counted("since", KEY, 0), Counted("since/since", KEY, 0),
    )  # fmt: skip
    assert known.counted(DEFAULT_TENANT, "close", args) == (Counted("closed", KEY, 0), Counted("since/since", KEY, 0))
    assert known.counted(DEFAULT_TENANT, "look", args) == ()
    assert known.counted(TenantId("shop"), "close", args)[0].key == 'shop ["A1"]'


@pytest.mark.parametrize(("by", "args", "key"), [
    (ORDER, b'{"order":"1"}', 'default ["1"]'), (ORDER, b'{"order":1}', "default [1]"), (ORDER, b'{"other":1}', "default "), (KeyPath(), b"{}", "default "),
    (KeyPath(("a.b", "c")), b'{"a":{"b":{"y":1,"x":2}},"c":true}', 'default [{"x":2,"y":1},true]'), (KeyPath(("a.b",)), b'{"a":[1]}', "default "),
    (KeyPath(("a.b", "c")), b'{"c":1}', "default "), (KeyPath(("order",), {"refund": ("id",)}), b'{"order":"x","id":"y"}', 'default ["y"]'),
])  # fmt: skip
def test_a_key_is_what_stands_at_its_paths_in_one_form(by: KeyPath, args: bytes, key: str) -> None:
    (counted,) = knowing(Counter("n", ("refund",), by)).counted(DEFAULT_TENANT, "refund", Json(args))
    assert counted.key == key


@pytest.mark.parametrize(("args", "amount"), [(b'{"cents":5}', 5), (b'{"cents":-5}', -5), (b'{"cents":"5"}', 0), (b'{"cents":true}', 0), (b"{}", 0), (b'{"cents":1.5}', 0)])  # fmt: skip
def test_an_amount_is_a_whole_number_or_nothing(args: bytes, amount: int) -> None:
    (counted,) = knowing(Counter("n", ("refund",), of=CENTS)).counted(DEFAULT_TENANT, "refund", Json(args))
    assert counted.amount == amount


# --- counts over runs ----------------------------------------------------------------------------------------------------


def test_a_count_is_of_entries_and_a_sum_of_their_amounts_within_its_time() -> None:
    disk = Disk(
        Entry("paid", NOW - 1_000, 5),
        Entry("paid", NOW - 1_001, 7, step="2"),
        Entry("paid", NOW, 1, key="other"),
        Entry("more", NOW, 100),
    )
    known = knowing(PAID, disk=disk)
    assert known.total(PAID, KEY) == 12
    assert known.total(replace(PAID, of=None), KEY) == 2
    assert known.total(replace(PAID, within_ms=1_000), KEY) == 5
    assert known.total(replace(PAID, within_ms=999), KEY) == 0
    assert known.total(PAID, KEY, (RunId("one"), StepName("2"))) == 5, "the call itself, where it was counted already"
    assert known.total(PAID, KEY, (RunId("two"), StepName("2"))) == 12


def test_only_what_was_counted_before_a_time_is_told_where_one_is_given() -> None:
    disk = Disk(Entry("paid", 10, 5), Entry("paid", 20, 7, step="2"))
    clock: Any = SimpleNamespace(now=lambda: NOW)
    known = Circumstances(Declared(counters=(PAID,)), disk, clock, None, until=EpochMs(20))  # type: ignore[arg-type]
    assert known.total(PAID, KEY) == 5


def test_what_is_on_its_way_counts_once_within_its_time_until_it_is_over() -> None:
    commit, disk = Under(), Disk()
    known = knowing(PAID, disk=disk)
    known.take(
        RunId("one"),
        [
            put("one", NOW - 10, 5),
            put("one", NOW, 7, step="2"),
            put("one", NOW, 9, key="other", step="3"),
            RowOp("put", "runs", ("one",), {}),
        ],
        commit,  # type: ignore[arg-type]
    )
    assert known.total(PAID, KEY) == 12
    assert known.total(replace(PAID, of=None), KEY) == 2
    assert known.total(replace(PAID, within_ms=9), KEY) == 7
    assert known.total(replace(PAID, within_ms=10), KEY) == 12
    assert known.total(PAID, KEY, (RunId("one"), StepName("2"))) == 5
    disk.entries.append(Entry("paid", NOW - 10, 5))
    assert known.total(PAID, KEY) == 12, "one of them is durable by now"
    commit.is_over = True
    assert known.total(PAID, KEY) == 5, "the other never came to be"


def test_what_came_without_a_time_or_an_amount_is_old_and_nothing() -> None:
    known = knowing(PAID, now=1_000)
    row = RowOp("put", TABLE.name, ("one", StepName("1"), "paid"), {"key": KEY, "at": None, "amount": None})
    known.take(RunId("one"), [row], Under())  # type: ignore[arg-type]
    assert (known.total(PAID, KEY), known.total(replace(PAID, of=None), KEY)) == (0, 1)
    assert known.total(replace(PAID, of=None, within_ms=999), KEY) == 0


def test_what_is_taken_back_counts_no_more_and_again_when_that_never_came_to_be() -> None:
    commit, disk = Under(), Disk(Entry("paid", 10, 5), Entry("paid", 20, 7, run="two"))
    known = knowing(PAID, disk=disk)
    known.take(RunId("one"), [drop("one")], commit)  # type: ignore[arg-type]
    assert (known.total(PAID, KEY), known.total(replace(PAID, of=None), KEY)) == (7, 1)
    known.forget(RunId("two"))
    assert known.total(PAID, KEY) == 7
    known.take(RunId("two"), [drop("two")], Under())  # type: ignore[arg-type]
    assert known.total(PAID, KEY) == 0
    known.forget(RunId("one"))
    assert known.total(PAID, KEY) == 5
    commit.is_over = True
    known.forget(RunId("two"))
    assert known.total(PAID, KEY) == 12


def test_what_never_came_to_be_is_forgotten_run_by_run() -> None:
    known = knowing(PAID)
    known.take(RunId("one"), [put("one", NOW, 5), put("one", NOW, 3, step="2")], Under())  # type: ignore[arg-type]
    known.take(RunId("two"), [put("two", NOW, 7)], Under())  # type: ignore[arg-type]
    known.forget(RunId("one"))
    assert known.total(PAID, KEY) == 7
    nothing = knowing()
    nothing.take(RunId("one"), [put("one", NOW, 5)], Under())  # type: ignore[arg-type]
    assert nothing.total(PAID, KEY) == 0, "nobody counts"


@pytest.mark.parametrize(("closed", "total"), [((), 12), ((15,), 7), ((10,), 12), ((20,), 7), ((21,), 0), ((15, 5), 7)])
def test_a_count_begins_anew_with_the_newest_call_of_another_tool(closed: tuple[int, ...], total: int) -> None:
    since = replace(PAID, since=("close",))
    entries = [Entry("paid/since", at, 0, step=f"c{at}") for at in closed]
    counted = (Entry("paid", 10, 5), Entry("paid", 20, 7, step="2"))
    assert knowing(since, disk=Disk(*counted, *entries)).total(since, KEY) == total
    known = knowing(since, disk=Disk(*counted))
    known.take(RunId("one"), [put("one", one.at, 0, "paid/since", one.step) for one in entries], Under())  # type: ignore[arg-type]
    assert known.total(since, KEY) == total, "likewise on its way"


def test_a_call_that_did_not_stand_begins_nothing_anew() -> None:
    since = replace(PAID, since=("close",))
    counted = (
        Entry("paid", 10, 5),
        Entry("paid", 20, 7, step="2"),
        Entry("paid/since", 15, 0, step="3"),
        Entry("paid/since", 30, 0, step="4"),
    )
    known = knowing(since, disk=Disk(*counted))
    assert known.total(since, KEY) == 0
    assert known.total(since, KEY, (RunId("one"), StepName("4"))) == 7
    known.take(RunId("one"), [drop("one", "4", "paid/since")], Under())  # type: ignore[arg-type]
    assert known.total(since, KEY) == 7
    assert known.total(since, KEY, (RunId("one"), StepName("3"))) == 12


# --- what is known around one call --------------------------------------------------------------------------------------


def step(
    what: str, n: int, args: bytes, outcome: Json | Failure | None = None, phase: Phase = Phase.DONE, **more: Any
) -> Step:
    return Step(more.pop("kind", StepKind.CALL), what, Json(args), phase, n, outcome, **more)


DONE = Json(b'{"id":"r"}')
A1, B2 = b'{"order":"A1","cents":5}', b'{"order":"B2","cents":7}'
STEPS = {
    "1": step("refund", 1, A1, DONE), "2": step("refund", 2, B2, DONE), "3": step("refund", 3, A1, Failure("no", "")), "4": step("refund", 4, A1, Failure("in_doubt", "")),
    "5": step("refund", 5, A1, phase=Phase.INTENDED), "6": step("refund", 6, A1, phase=Phase.ASKING), "7": step("look", 7, A1, Json(b"[1]")), "8": step("look", 8, A1, Json(b"[2]")),
    "9": step("refund", 9, A1, DONE, kind=StepKind.CHILD), "10": step("refund", 10, A1, phase=Phase.BACKING_OFF), "11": step("refund", 11, A1, phase=Phase.LOOKING_UP),
    "12": step("refund", 12, A1, phase=Phase.DOUBTED), "13": step("look", 13, A1, Failure("no", "")), "14": step("look", 14, B2, Json(b"[3]")),
}  # fmt: skip


def around(
    known: Circumstances, steps: Mapping[str, Step] | None = None, args: bytes = A1, but: str | None = None, **more: Any
) -> Around:
    state = replace(
        given(requested(**more.pop("request", {})), run=RunId("one")),
        steps={StepName(name): one for name, one in (steps or {}).items()},
    )
    flow, is_tainted = more.pop("flow", None), more.pop("is_tainted", lambda: False)
    return known.around(state, "refund", Json(args), flow, is_tainted, StepName(but) if but else None)


@pytest.mark.parametrize(("counter", "but", "count"), [
    (Counter("n", ("refund",), ORDER), None, 6), (Counter("n", ("refund",), ORDER), "5", 5), (Counter("n", ("refund",), KeyPath()), None, 7), (Counter("n", ("look",), ORDER), None, 2),
    (Counter("n", ("refund", "look"), ORDER), None, 8), (Counter("n", ("refund",), ORDER, CENTS), None, 30), (Counter("n", ("refund",), KeyPath(), CENTS), None, 37),
    (Counter("n", ("refund",), ORDER, since=("look",)), None, 3), (Counter("n", ("refund",), ORDER, since=("none",)), None, 6), (Counter("n", ("refund",), KeyPath(("none",))), None, None),
])  # fmt: skip
def test_a_count_within_a_run_is_of_what_happened_or_may_have(
    counter: Counter, but: str | None, count: int | None
) -> None:
    counted = replace(counter, in_run=True)
    assert around(knowing(counted), STEPS, but=but).value("n") == count


def test_a_count_within_a_run_begins_anew_with_a_model_call_where_that_is_named() -> None:
    steps = {
        **STEPS,
        "m": step("small", 10, b"{}", DONE, kind=StepKind.MODEL),
        "o": step("small", 4, b"{}", DONE, kind=StepKind.MODEL),
    }
    for since, count in (((MODEL_CALLS,), 2), ((MODEL_CALLS, "look"), 2), (("look",), 3), ((), 6)):
        counted = Counter("n", ("refund",), ORDER, in_run=True, since=since)
        assert around(knowing(counted), steps).value("n") == count
    counted = Counter("n", ("refund",), ORDER, in_run=True, since=(MODEL_CALLS,))
    assert around(knowing(counted), STEPS).value("n") == 6
    first = {"0": step("refund", 0, A1, DONE)}
    assert around(knowing(counted), first).value("n") == 1


def test_a_count_over_runs_is_of_the_tenant_and_leaves_the_call_itself_out() -> None:
    disk = Disk(
        Entry("paid", 10, 5),
        Entry("paid", 20, 7, step="2"),
        Entry("paid", 20, 9, key='shop ["A1"]'),
        Entry("paid", 30, 100, key=f'{DEFAULT_TENANT} ["B2"]'),
    )
    known = knowing(PAID, disk=disk)
    assert around(known).value("paid") == 12
    assert around(known, but="2").value("paid") == 5
    assert around(known, args=B2).value("paid") == 100
    assert around(known, request={"tenant": TenantId("shop")}).value("paid") == 9
    assert around(known, args=b"{}").value("paid") is None


def test_a_record_is_the_newest_answer_for_the_same_key() -> None:
    record = RecordRead("seen", ("look",), ORDER)
    known = knowing(records=(record,))
    assert around(known, STEPS).value("seen") == [2]
    assert around(known, STEPS, but="8").value("seen") == [1]
    assert around(known, dict(reversed(STEPS.items()))).value("seen") == [2]
    assert around(known, STEPS, B2).value("seen") == [3]
    assert around(known, STEPS, b'{"order":"C3"}').value("seen") is None
    assert around(known, STEPS, b"{}").value("seen") is None


def test_each_name_that_is_always_known_says_what_it_says() -> None:
    ask, allow = Decision(Answer.ASK, "0" * 16), Decision(Answer.ALLOW, "0" * 16)
    steps = {"1": step("refund", 1, A1, DONE, gate=ask, attempt=1), "2": step("refund", 2, A1, DONE, gate=ask, attempt=2), "3": step("refund", 3, A1, phase=Phase.ASKING, gate=ask), "4": step("refund", 4, A1, DONE, gate=allow, attempt=1), "5": step("refund", 5, A1, DONE, attempt=1)}  # fmt: skip
    noon = 1_793_621_096_789  # 2026-11-02T12:04:56.789Z, a Monday.
    email = Handle("pii.email", "a" * 16, "b" * 26)
    args = f'{{"to":"{email}"}}'.encode()
    flow = Verdict(Answer.ASK, tuple(Concern("k", what, "v", Origin.MODEL, "r") for what in ("to", "order", "to")))
    found = around(knowing(now=noon), steps, args, "2", flow=flow, is_tainted=lambda: True)
    names = (
        "tool",
        "digest",
        "now_ms",
        "hour",
        "minute",
        "weekday",
        "read_untrusted",
        "unvouched",
        "approvals",
        "labels",
    )
    assert {name: found.value(name) for name in names} == {
        "tool": "refund", "digest": digest_of(Json(args)), "now_ms": noon, "hour": 12, "minute": 4, "weekday": "monday", "read_untrusted": True, "unvouched": ["order", "to"],
        "approvals": 1, "labels": ["pii.email"],
    }  # fmt: skip
    plain = around(knowing(now=noon), steps)
    assert (
        plain.value("approvals"),
        plain.value("unvouched"),
        plain.value("labels"),
        plain.value("read_untrusted"),
    ) == (2, [], [], False)
    assert plain.value("roles") == ["clerk", "lead"]
    assert around(knowing(), request={"tenant": TenantId("shop")}).value("roles") == ["boss"]
    with pytest.raises(KeyError):
        plain.value("nothing")


@pytest.mark.parametrize(("zone", "at", "said"), [
    ("UTC", 0, (0, 0, "thursday")), ("Europe/Berlin", 0, (1, 0, "thursday")), ("Asia/Kolkata", 86_400_000, (5, 30, "friday")), ("America/New_York", 0, (19, 0, "wednesday")),
    ("UTC", 3_599_999, (0, 59, "thursday")), ("UTC", 3_600_000, (1, 0, "thursday")),
])  # fmt: skip
def test_the_time_of_day_is_that_of_the_declared_zone(zone: str, at: int, said: tuple[int, int, str]) -> None:
    found = around(knowing(now=at, zone=zone))
    assert tuple(found.value(name) for name in ("hour", "minute", "weekday")) == said


def test_what_is_declared_anew_counts_from_then_on() -> None:
    known = knowing(PAID)
    other = Counter("other", ("close",), ORDER)
    known.declare(Declared(counters=(other,), zone="Asia/Kolkata"))
    assert known.counted(DEFAULT_TENANT, "refund", Json(A1)) == ()
    assert known.counted(DEFAULT_TENANT, "close", Json(A1)) == (Counted("other", KEY, 0),)
    assert set(known.counters) == {"other"}
