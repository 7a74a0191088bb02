"""kernos rehearse: what recorded decisions would have been under policies that are not in force."""

import json
from pathlib import Path

import pytest

from tests.surface.desk_folder import POLICY, Folder

pytestmark = pytest.mark.slow

STRICT = POLICY.replace("resource.amount_cents <= 5000", "resource.amount_cents <= 200").replace("> 100000", "> 5500")


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    folder = Folder(tmp_path, capsys)
    (tmp_path / "strict.cedar").write_text(STRICT)
    for number, amount in enumerate((100, 300, 5000)):
        given = json.dumps({"order": f"A{number}", "amount_cents": amount})
        assert folder.kernos("run", "desk", "--input", given).code == 0
    assert folder.kernos("run", "desk", "--input", '{"order": "A9", "amount_cents": 6000}').code == 3
    return folder


def test_it_says_what_would_flip_why_and_what_money_is_at_stake(folder: Folder) -> None:
    told = folder.kernos("rehearse", str(folder.path / "strict.cedar"))
    assert told.code == 0, told.all
    assert "8 decisions taken again under policy set " in told.out
    assert ": 3 would flip" in told.out
    assert "5 allow, 2 ask, 1 deny in all" in told.out
    assert "at stake: 11,300 cents by amount_cents, in 3 calls" in told.out
    assert "allow -> ask: 2 calls of shop.refund" in told.out
    assert "because: no longer by small; no policy permits it unattended" in told.out
    assert "at stake: 5,300 cents by amount_cents, in 2 calls" in told.out
    assert "ask -> deny: 1 call of shop.refund" in told.out
    assert "because: no longer by refunds; now by cap; forbidden by cap" in told.out
    assert '{"order":"A9","amount_cents":6000}' in told.out


def test_programs_get_every_flip(folder: Folder) -> None:
    told = json.loads(folder.kernos("rehearse", str(folder.path / "strict.cedar"), "--json").out)
    assert (told["decisions"], told["flipped"]) == (8, 3)
    assert told["answers"] == {"allow": 5, "ask": 2, "deny": 1}
    assert told["money"] == {
        "sums": [{"argument": "amount_cents", "unit": "cents", "sum": "11300", "calls": 3}],
        "unknown_calls": 0,
    }
    (asks, denies) = told["groups"]
    assert [flip["args"]["amount_cents"] for flip in asks["flips"]] == [300, 5000]
    assert [(flip["was"]["answer"], flip["would_be"]["answer"]) for flip in denies["flips"]] == [("ask", "deny")]


def test_only_the_last_decisions_are_looked_at_when_asked(folder: Folder) -> None:
    told = folder.kernos("rehearse", str(folder.path / "strict.cedar"), "--last", "2")
    assert "2 decisions taken again" in told.out
    assert ": 1 would flip" in told.out


def test_the_policies_in_force_flip_nothing(folder: Folder) -> None:
    told = folder.kernos("rehearse", str(folder.path / "policies"))
    assert ": 0 would flip" in told.out
    assert "at stake" not in told.out


def test_policies_that_cannot_be_used_are_refused_with_every_fault(folder: Folder) -> None:
    (folder.path / "wrong.cedar").write_text("permit(principal, action, resource) when { resource.price > 1 };")
    refused = folder.kernos("rehearse", str(folder.path / "wrong.cedar"))
    assert refused.code == 1
    assert "error[bad_configuration]" in refused.err
    assert folder.kernos("rehearse", str(folder.path / "nowhere")).code == 1
