"""Fork from the command line: a recorded run lived again with something changed, dry, and the difference."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.surface.desk_folder import Folder

pytestmark = pytest.mark.slow

MORE = """

from kernos import Limits
from pathlib import Path

CALLED = Path(__file__).with_name("called.txt")


def note(name: str) -> None:
    with CALLED.open("a") as file:
        file.write(f"{name} ")


class Level(BaseModel):
    level: int


@tool("shop.stock", effect="read")
def stock(request: Refund) -> Level:
    note("stock")
    return Level(level=request.amount_cents)


@tool("shop.label", effect="once")
def label(request: Refund, call: ToolCall) -> Level:
    note("label")
    return Level(level=7)


@tool("shop.gift", effect="once")
def gift(request: Refund) -> Level:
    note("gift")
    return Level(level=1)


@agent("reader")
async def reader(ctx: Context, request: Claim) -> str:
    return await ctx.model("judge", request, str, instructions="be kind")


@agent("clerk", tools=[stock, label, gift])
async def clerk(ctx: Context, request: Claim) -> str:
    verdict = await ctx.run(reader, request)
    level = await ctx.call(stock, Refund(order=request.order, amount_cents=request.amount_cents))
    if level.level > 500:
        said = await ctx.ask("lead", "So much?", ["yes", "no"])
        return f"asked: {said}"
    made = await ctx.call(label, Refund(order=request.order, amount_cents=request.amount_cents))
    if verdict == "strict":
        return "no gift"
    await ctx.call(gift, Refund(order=request.order, amount_cents=request.amount_cents))
    return f"{verdict} {level.level} {made.level}"


STRICT = {"judge": lambda value: "strict"}
"""
OPEN_POLICY = '@id("all") permit(principal, action, resource);'


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    made = Folder(tmp_path, capsys)
    module = tmp_path / f"{made.agents}.py"
    module.write_text(module.read_text() + MORE)
    (tmp_path / "policies" / "desk.cedar").write_text(OPEN_POLICY)
    made.config.write_text(
        made.config.read_text() + f'[models.strict]\nkind = "rules"\nrules = "{made.agents}:STRICT"\n'
    )
    assert made.kernos("run", "clerk", "--input", '{"order": "A1", "amount_cents": 100}').out == '"fair 100 7"\n'
    return made


def run_of(folder: Folder) -> str:
    rows = json.loads(folder.kernos("ps", "--all", "--json").out)
    return next(str(row["run"]) for row in rows if row["agent"] == "clerk")


def called(folder: Folder) -> list[str]:
    return (folder.path / "called.txt").read_text().split()


def forked(folder: Folder, *words: str) -> dict[str, Any]:
    answered = folder.kernos("fork", run_of(folder), *words, "--json")
    assert answered.code == 0, answered.all
    return dict(json.loads(answered.out))


def hows(told: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(step["agent"], step["step"], step["how"]) for step in told["steps"]]


def test_a_fork_that_changes_nothing_is_the_original_and_calls_nothing(folder: Folder) -> None:
    before = called(folder)
    told = forked(folder)
    assert told["outcome"] == {
        "before": 'completed with "fair 100 7"',
        "after": 'completed with "fair 100 7"',
        "equal": True,
    }
    assert {how for _, _, how in hows(told)} == {"equal"}
    assert (told["would_do"], told["would_not_do"], told["would_ask"]) == ([], [], [])
    assert called(folder) == before


def test_another_input_makes_new_reads_and_only_simulates_actions(folder: Folder) -> None:
    told = forked(folder, "--set", "input.amount_cents=300")
    assert told["outcome"]["after"] == 'completed with "fair 300 7"'
    assert called(folder) == ["stock", "label", "gift", "stock"]
    assert told["would_do"] == [
        'clerk step 3: call shop.label {"order":"A1","amount_cents":300}',
        'clerk step 4: call shop.gift {"order":"A1","amount_cents":300}',
    ]
    assert told["would_not_do"] == [line.replace("300", "100") for line in told["would_do"]]
    sources = {step["step"]: step["source"] for step in told["steps"] if step["agent"] == "clerk"}
    assert sources == {"1": "lived again", "2": "the tool", "3": "simulated", "4": "simulated"}


def test_offline_no_read_is_made(folder: Folder) -> None:
    told = forked(folder, "--set", "input.amount_cents=300", "--offline")
    assert called(folder) == ["stock", "label", "gift"]
    assert told["outcome"]["after"] == 'completed with "fair 100 7"'


def test_another_model_is_asked_in_the_child_and_what_follows_is_shown(folder: Folder) -> None:
    told = forked(folder, "--set", "model.default=strict")
    assert told["outcome"]["after"] == 'completed with "no gift"'
    assert ("reader", "1", "changed") in hows(told)
    assert ("clerk", "4", "gone") in hows(told)
    assert told["would_not_do"] == ['clerk step 4: call shop.gift {"order":"A1","amount_cents":100}']
    assert called(folder) == ["stock", "label", "gift"]


def test_other_instructions_ask_the_model_anew(folder: Folder) -> None:
    (folder.path / "judge.txt").write_text("be strict")
    told = forked(folder, "--set", f"prompt.judge={folder.path / 'judge.txt'}")
    (changed,) = [step for step in told["steps"] if step["how"] == "changed"]
    assert (changed["agent"], changed["source"]) == ("reader", "model default")
    assert '"instructions":"be strict"' in changed["now"]
    assert '"instructions":"be kind"' in changed["recorded"]
    assert told["outcome"]["equal"] is True


def test_another_policy_denies_what_was_done(folder: Folder) -> None:
    strict = folder.path / "strict"
    strict.mkdir()
    (strict / "desk.cedar").write_text(
        OPEN_POLICY + '\n@id("none") forbid(principal, action, resource is shop::label);\n'
    )
    told = forked(folder, "--set", f"policy={strict}")
    assert "refused" in told["outcome"]["after"]
    assert ("clerk", "3", "changed") in hows(told)
    assert len(told["would_not_do"]) == 2


def test_a_policy_that_asks_is_listed_and_the_answer_taken_as_given(folder: Folder) -> None:
    asking = folder.path / "asking"
    asking.mkdir()
    (asking / "desk.cedar").write_text(
        '@id("all") permit(principal, action == Action::"invoke", resource);\n'
        '@id("free") permit(principal, action == Action::"unattended", resource) unless { resource is shop::gift };\n'
    )
    told = forked(folder, "--set", f"policy={asking}")
    assert told["outcome"]["equal"] is True
    assert told["would_ask"] == [
        'clerk step 4: a person\'s yes to call shop.gift {"order":"A1","amount_cents":100} (taken as given)'
    ]


def test_up_to_the_step_everything_comes_from_the_record(folder: Folder) -> None:
    told = forked(folder, "--at", "3", "--set", "input.amount_cents=900")
    assert called(folder) == ["stock", "label", "gift"]
    assert [(step, how) for _, step, how in hows(told)] == [
        ("1", "changed"),
        ("2", "changed"),
        ("3", "changed"),
        ("4", "changed"),
    ]
    assert told["outcome"]["after"] == 'completed with "fair 100 7"'


def test_a_fork_that_would_wait_says_for_whom(folder: Folder) -> None:
    told = forked(folder, "--set", "input.amount_cents=900")
    assert "waits at" in told["outcome"]["after"]
    assert told["would_ask"] == ["clerk step 3: question So much? to lead [yes | no]"]
    assert {("clerk", "4", "gone")} <= set(hows(told))


def test_the_difference_is_told_in_words(folder: Folder) -> None:
    out = folder.kernos("fork", run_of(folder), "--set", "model.default=strict").out
    assert "lived again from its start: dry, nothing recorded" in out
    assert "steps: 3 equal, 1 changed, 0 new, 1 gone" in out
    assert "it did outside, and would not\n  clerk step 4: call shop.gift" in out
    assert 'before completed with "fair 100 7"\n  now    completed with "no gift"' in out


def test_a_fork_leaves_the_store_as_it_is(folder: Folder) -> None:
    run = run_of(folder)
    before = folder.store.read_bytes()
    assert folder.kernos("fork", run, "--set", "input.amount_cents=300").code == 0
    assert folder.store.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "input.order"), "changes nothing"),
        (("--set", "colour=red"), "nothing that can be changed"),
        (("--set", "input.amount_cents=much"), "does not take the changed input"),
        (("--set", "input.amonut_cents=5"), "the input of agent clerk has no place input.amonut_cents"),
        (("--set", "model.default=missing"), "no model is named missing"),
        (("--set", "prompt.judge=missing.txt"), "could not be read"),
        (("--at", "99"), "has no step 99"),
    ],
)
def test_what_cannot_be_changed_is_said(folder: Folder, words: tuple[str, ...], said: str) -> None:
    answered = folder.kernos("fork", run_of(folder), *words)
    assert answered.code == 1
    assert said in answered.err
