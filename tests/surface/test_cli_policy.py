"""kernos policy check and test: policies against the agents of a folder, and cases against the policies."""

import json
from pathlib import Path

import pytest

from tests.surface.desk_folder import Answered, Folder

CONTEXT = """
zone = "Europe/Berlin"

[sum.refunded]
tools = ["shop.refund"]
of = "amount_cents"
by = "order"
within = "24h"
"""

RULES = """
@id("models") permit(principal, action, resource is Model);
@id("refunds") permit(principal, action == Action::"invoke", resource is shop::refund);
@id("small")
permit(principal, action == Action::"unattended", resource is shop::refund) when { resource.amount_cents <= 5000 };
@id("day")
forbid(principal, action, resource is shop::refund) when { context.refunded + resource.amount_cents > 20000 };
@id("night")
forbid(principal, action == Action::"unattended", resource is shop::refund) when { context.hour < 8 };
"""

CASES = """
[usual]
agent = "desk"
tool = "shop.refund"
arguments = { order = "A1", amount_cents = 5000 }
context = { refunded = 0, hour = 10 }

[[case]]
name = "a small refund by day goes on alone"
expect = "allow"
rule = "small"

[[case]]
name = "a larger one waits for a person"
arguments = { amount_cents = 5001 }
expect = "ask"

[[case]]
name = "no more than 200 a day"
context = { refunded = 15001 }
expect = "deny"
rule = "day"

[[case]]
name = "the model may be asked"
model = "default"
task = "judge"
expect = "allow"
"""

UNDO_AGENTS = '''
"""An agent that can take back what it did."""

from pydantic import BaseModel

from kernos import Context, ToolCall, Undo, agent, tool


class Refund(BaseModel):
    order: str
    cents: int


@tool("till.charge", effect="idempotent")
def charge(request: Refund, call: ToolCall) -> str:
    return "charged"


@tool("till.refund", effect="idempotent", compensate=Undo(charge, lambda request: request))
def refund(request: Refund, call: ToolCall) -> str:
    return "paid"


@agent("teller", tools=[refund])
async def teller(ctx: Context, request: Refund) -> str:
    return await ctx.call(refund, request)
'''


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    folder = Folder(tmp_path, capsys)
    write(folder, "desk.cedar", RULES)
    write(folder, "context.toml", CONTEXT)
    write(folder, "cases.toml", CASES)
    return folder


def write(folder: Folder, name: str, text: str) -> None:
    (folder.path / "policies" / name).write_text(text)


def put(folder: Folder, case: str, *options: str) -> Answered:
    write(folder, "cases.toml", f'{CASES}\n[[case]]\nname = "the case"\n{case}\n')
    return folder.kernos("policy", "test", *options)


# --- check ---------------------------------------------------------------------------------------------------------


def test_a_good_set_is_summed_up_with_its_hash_and_its_number_of_rules(folder: Folder) -> None:
    checked = folder.kernos("policy", "check")
    assert checked.code == 0, checked.all
    assert "policies: 5 rules, policy set " in checked.out
    told = json.loads(folder.kernos("policy", "check", "--json").out)
    assert told["ok"] is True
    assert told["policy_set"][:16] in checked.out
    assert [rule["id"] for rule in told["rules"]] == ["models", "refunds", "small", "day", "night"]
    assert told["rules"][2]["place"] == {"file": "desk.cedar", "line": 4, "column": 1}


def test_every_fault_is_told_with_file_line_column_and_what_to_do(folder: Folder) -> None:
    write(
        folder,
        "wrong.cedar",
        '// A rule over lines.\n@id("typo") permit(principal, action,\n  resource is shop::refund) when {\n'
        "    resource.amount > 1 &&\n    context.refundet > 1 };\n"
        'permit(principal == Agent::"dseck", action, resource); permit(principal action, resource);\n',
    )
    write(folder, "context.toml", f'{CONTEXT}\n[count.mails]\ntools = ["shop.male"]\n')
    checked = folder.kernos("policy", "check")
    assert checked.code == 1
    lines = checked.out.splitlines()
    expected = (
        ("policies/context.toml:10:8: mails: ", "no tool is named 'shop.male'; there are: shop.mail, shop.refund"),
        ("policies/wrong.cedar:4:14: rule typo: ", "its attributes are: amount_cents, order"),
        ("policies/wrong.cedar:5:13: rule typo: ", "declare it in context.toml"),
        ("policies/wrong.cedar:6:28: ", "no agent is named 'dseck'; there are: asker"),
        ("policies/wrong.cedar:6:73: ", "unexpected token `action`"),
    )
    for place, words in expected:
        assert any(place in line and words in line for line in lines), (place, words, checked.out)
    assert lines[-1] == "5 faults; nothing was put in force"
    told = json.loads(folder.kernos("policy", "check", "--json").out)
    assert (told["ok"], len(told["faults"])) == (False, 5)


def test_it_names_what_nothing_permits_what_always_asks_and_rules_that_never_apply(folder: Folder) -> None:
    folder.config.write_text(
        f'[kernos]\nstore = "desk.kernos"\nagents = ["{folder.agents}"]\npolicies = "policies"\n'
    )  # Without the model, the rule about models has nothing to be about.
    write(
        folder,
        "desk.cedar",
        '@id("models") permit(principal, action, resource is Model);\n'
        '@id("mails") permit(principal, action == Action::"unattended", resource is shop::mail);\n'
        '@id("refunds") permit(principal, action == Action::"invoke", resource is shop::refund);\n'
        '@id("other") permit(principal == Agent::"asker", action, resource is shop::refund);\n',
    )
    checked = folder.kernos("policy", "check", str(folder.path / "policies"))
    assert checked.code == 0, checked.all
    assert "no rule permits: shop.mail (mailer)" in checked.out
    assert "always asks a person: shop.refund (desk)" in checked.out
    assert "never applies: models (desk.cedar:1:1)" in checked.out
    assert "never applies: mails (desk.cedar:2:1): it permits unattended what no rule permits at all" in checked.out
    assert "never applies: other (desk.cedar:4:1): no agent that is declared here makes such a call" in checked.out
    assert "refunds (desk" not in checked.out


def test_a_permit_under_a_forbid_without_conditions_never_applies(folder: Folder) -> None:
    write(folder, "never.cedar", '@id("never") forbid(principal, action, resource is shop::refund);')
    checked = folder.kernos("policy", "check")
    assert "no rule permits: shop.refund (desk)" in checked.out
    assert "never applies: small (desk.cedar:4:1): a rule without conditions forbids all that it permits" in checked.out


def test_what_takes_an_action_back_counts_as_a_call_of_the_agent_that_acts(folder: Folder) -> None:
    (folder.path / f"till_{folder.agents}.py").write_text(UNDO_AGENTS)
    (folder.path / "till").mkdir()
    (folder.path / "till" / "till.cedar").write_text(
        '@id("refund") permit(principal, action, resource is till::refund);\n'
        '@id("undo") permit(principal == Agent::"teller", action, resource is till::charge) when { context.undo };\n'
    )
    (folder.path / "till" / "cases.toml").write_text(
        '[[case]]\nname = "back"\nagent = "teller"\ntool = "till.charge"\nundoes = "till.refund"\n'
        'arguments = { order = "A1", cents = 1 }\nexpect = "allow"\nrule = "undo"\n'
    )
    agents = ("--agents", f"till_{folder.agents}")
    assert "never applies" not in folder.kernos("policy", "check", str(folder.path / "till"), *agents).out
    told = folder.kernos("policy", "test", "--policies", str(folder.path / "till"), *agents)
    assert told.code == 0, told.all


def test_without_policies_or_agents_it_says_what_to_name(folder: Folder) -> None:
    folder.config.write_text("[kernos]\n")
    assert "no policies are named" in folder.kernos("policy", "check").err
    refused = folder.kernos("policy", "check", str(folder.path / "policies"))
    assert refused.code == 1
    assert "no agents are named" in refused.err
    assert (
        "neither a Cedar file nor a folder"
        in folder.kernos("policy", "check", "nowhere", "--agents", folder.agents).err
    )


# --- test ----------------------------------------------------------------------------------------------------------


def test_cases_that_hold_are_listed_with_the_rules_that_answered(folder: Folder) -> None:
    told = folder.kernos("policy", "test")
    assert told.code == 0, told.all
    assert "ok  a small refund by day goes on alone  allow   refunds, small" in told.out
    assert "4 cases, 0 failed; policy set " in told.out
    assert "no case reaches: night (desk.cedar:8:1)" in told.out
    assert folder.kernos("policy", "test", "--strict").code == 1


def test_a_case_with_another_answer_fails_and_says_the_difference(folder: Folder) -> None:
    told = put(folder, 'context = { hour = 3 }\nexpect = "allow"')
    assert told.code == 1
    assert "FAIL  the case" in told.out
    assert "cases.toml:30:1: the case: expected allow, got ask\n  why: " in told.out
    assert "why: night forbids it unattended (rules: night, refunds)" in told.out
    assert "5 cases, 1 failed" in told.out
    assert "no case reaches" not in told.out


def test_a_case_whose_rule_is_not_among_the_grounds_fails(folder: Folder) -> None:
    told = put(folder, 'arguments = { amount_cents = 30000 }\nexpect = "deny"\nrule = ["day", "night"]')
    assert told.code == 1
    assert "deny as expected, but not by night" in told.out


def test_what_is_not_given_is_unknown_and_denies(folder: Folder) -> None:
    write(folder, "cases.toml", CASES.replace("refunded = 0, ", ""))
    told = folder.kernos("policy", "test")
    assert told.code == 1
    assert "expected allow, got deny" in told.out
    assert "not given, so unknown: refunded; give it as context = { refunded = ... }" in told.out


def test_a_cause_that_cases_share_is_told_once(folder: Folder) -> None:
    write(folder, "cases.toml", CASES.replace("refunded = 0, ", ""))
    told = folder.kernos("policy", "test").out
    assert told.count(": expected ") > 1
    assert told.count("not given, so unknown: refunded;") == 1
    assert "stands once, in the context of [usual]" in told


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ('agent = "dsk"\nexpect = "deny"', "no agent is named 'dsk'; did you mean desk?"),
        ('tool = "shop.refnd"\nexpect = "deny"', "no tool is named 'shop.refnd'; did you mean shop.refund?"),
        ('tool = "shop.mail"\narguments = { order = "A1", amount_cents = 1 }\nexpect = "deny"', "does not declare"),
        ('arguments = { amount = 1 }\nexpect = "deny"', "no argument of shop.refund is named 'amount'; did you mean"),
        ('arguments = { amount_cents = "1 EUR" }\nexpect = "deny"', "the arguments do not fit shop.refund"),
        ('model = "big"\nexpect = "deny"', "no model is named 'big'; there are: default"),
        ('expect = "no"', "no answer is named 'no'; there are: allow, ask, deny"),
        ('expect = "deny"\nrule = "dai"', "no rule is named 'dai'; did you mean day?"),
        ('expect = "deny"\ncontext = { refundet = 1 }', "no circumstance is named 'refundet'; did you mean refunded?"),
        ('expect = "deny"\ncontext = { refunded = "1" }', "refunded is a whole number, not '1'"),
        ('expect = "deny"\ncontext = { hour = 24 }', "hour = 24 is on no clock"),
        ('expect = "deny"\ncontext = { weekday = "mon" }', "no weekday is named 'mon'; did you mean monday?"),
        ('expect = "deny"\ncontext = { digest = "x" }', "no circumstance is named 'digest'"),
        ('expect = "deny"\nundoes = "shop.mail"', "shop.refund is not what takes shop.mail back"),
        ('expects = "deny"', "unknown field `expects`"),
        ("expect = ", "Invalid value"),
    ],
)  # fmt: skip
def test_a_case_that_is_wrong_itself_is_an_error_with_its_line(folder: Folder, case: str, said: str) -> None:
    told = put(folder, case)
    assert told.code == 1
    assert said in told.err
    assert "cases.toml:3" in told.err


def test_programs_get_every_case_and_what_no_case_reaches(folder: Folder) -> None:
    told = json.loads(folder.kernos("policy", "test", "--json").out)
    assert [case["ok"] for case in told["cases"]] == [True] * 4
    assert told["cases"][2]["rules"] == ["day"]
    assert [rule["rule"] for rule in told["unreached"]] == ["night"]


def test_a_file_without_any_case_proves_nothing_and_fails(folder: Folder) -> None:
    write(folder, "cases.toml", "")
    told = folder.kernos("policy", "test")
    assert told.code == 1
    assert "0 cases, 0 failed" in told.out


def test_files_of_cases_may_be_named(folder: Folder) -> None:
    other = folder.path / "more.toml"
    other.write_text(CASES.replace('"allow"', '"deny"', 1))
    assert folder.kernos("policy", "test", str(other)).code == 1
    missing = folder.kernos("policy", "test", str(folder.path / "none.toml"))
    assert missing.code == 1
    assert "could not be read" in missing.err
