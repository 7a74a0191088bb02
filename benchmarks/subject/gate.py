"""The gate by itself: CPU of one decision (contract, policy) under policy sets of different sizes.

The call is an action whose arguments decide, so that no answer is kept from an earlier call.
"""

import sys
import time
from collections.abc import Callable

from benchmarks.measure import report
from benchmarks.subject.agents import Ask, act, actor
from kernos.adapters.cedar.policy import CedarPolicy
from kernos.app.policies import load_policy
from kernos.control.gate import Gate
from kernos.control.registry import Registry
from kernos.flow.facts import Facts
from kernos.flow.judge import judge
from kernos.flow.words import Words
from kernos.ports.policy import Policy
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.flow import Consequence, FlowContract, ResultFields, Role
from kernos.vocabulary.gate import Answer
from kernos.vocabulary.ids import DEFAULT_TENANT, EpochMs, PrincipalId
from kernos.vocabulary.quantities import Limits

PERSON = PrincipalId("person:bench")
FLOW = "flow"
PYTHON = "python"
MAILS = 50
ANSWER = "Thank you for asking us! We shall be there, two of us, and take the train at 11; we bring some cheese. " * 3
TEXT = (
    "We meet at the station, take the train to the lake and walk from there. Bring something to eat and a warm coat. "
    * 3
)


def rules(count: int) -> str:
    """Return a policy set of so many rules, each with a condition on the arguments, of which the last one allows."""
    denied = [
        f'@id("not_{n}") forbid (principal, action, resource is act) when {{ resource.n == {n + 1_000_000} }};'
        for n in range(count - 1)
    ]
    return "\n".join([*denied, '@id("small") permit (principal, action, resource is act) when { resource.n < 1000 };'])


def microseconds(call: Callable[[], object], repetitions: int) -> float:
    """Return the CPU of one call."""
    for _ in range(repetitions // 10):
        call()
    start = time.process_time()
    for _ in range(repetitions):
        call()
    return (time.process_time() - start) / repetitions * 1e6


def flow_us(repetitions: int) -> float:
    """Return what the rules of flow cost for one mail, in a run that has listed an inbox and an address book, both as a whole."""
    send = FlowContract(Consequence.EGRESS, {"to": Role.DESTINATION})
    inbox = FlowContract(Consequence.READ, {}, ResultFields(proof=("id", "sender"), names=("sender", "subject")))
    contacts = FlowContract(Consequence.READ, {}, ResultFields(trusted=True))
    facts = Facts(
        Words(["Please reply to Anna about the picnic on Sunday, and tell her that two of us come by train at 11"])
    )
    mails = [
        {"id": n, "sender": f"sender{n}@example.org", "subject": f"About matter {n}", "body": TEXT}
        for n in range(MAILS)
    ]
    facts.read(
        "mail.list",
        inbox,
        [*mails, {"id": MAILS, "sender": "anna@example.org", "subject": "Picnic", "body": TEXT}],
        is_vouched=True,
        is_open=True,
    )
    facts.read(
        "contacts.list",
        contacts,
        [{"name": f"Friend {n}", "email": f"friend{n}@example.org"} for n in range(MAILS)],
        is_vouched=True,
        is_open=True,
    )
    args = {"to": "anna@example.org", "subject": "Re: Picnic", "body": ANSWER}
    assert judge("mail.send", send, args, facts).answer is Answer.ALLOW
    return microseconds(lambda: judge("mail.send", send, args, facts), repetitions)


def main(repetitions: int) -> None:
    """Measure one policy set after another."""
    registry = Registry([actor], {})
    args = act.input.encode(Ask(n=7))
    requested = RunRequested(
        agent=actor.name,
        agent_version=actor.version,
        code_digest=actor.code_digest,
        intent="",
        input=args,
        tenant=DEFAULT_TENANT,
        limits=Limits(),
        deadline_at=EpochMs(0),
        profile="standard",
    )
    found = {}
    names = [one.name for one in registry.agents]
    python = CedarPolicy(rules(50), registry.tools, names, registry.models, engine="python")
    sets: dict[str, Policy] = {str(count): load_policy(rules(count) + "\n", registry) for count in (1, 10, 50)}
    for name, policy in {**sets, PYTHON: python}.items():
        gate = Gate(registry, policy)

        def decide(gate: Gate = gate) -> Answer:
            return gate.decide_call(requested, PERSON, actor, act.name, args).answer

        assert decide() is Answer.ALLOW
        found[name] = microseconds(decide, repetitions)
    found[FLOW] = flow_us(repetitions)
    report(found)


if __name__ == "__main__":
    main(int(sys.argv[1]))
