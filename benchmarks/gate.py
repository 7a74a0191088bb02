"""gate: CPU of one call through the gate.

By itself (contract and policy, conditions on the arguments, so that no answer is kept), and as a whole: everything an action costs, from the
question to both records on disk. The target holds for the whole, although that includes more than the gate.
"""

from dataclasses import replace
from statistics import median

from benchmarks.contestant import measure_all, run_program
from benchmarks.durable import KERNOS
from benchmarks.peers.environment import own_python
from benchmarks.row import Options, Row, at_most
from benchmarks.subject.gate import FLOW, PYTHON

_WHOLE_US = 400
_BOTH_US = 150
_RULES = "50"


def run(options: Options) -> list[Row]:
    """Measure the decision alone and the whole."""
    repetitions = 5_000 if options.full else 200
    options.say("the decision alone ...")
    found = [run_program(own_python(), "benchmarks.subject.gate", repetitions) for _ in range(options.repetitions)]
    rows = [
        Row(
            f"contract and policy, {rules} rules on the tool",
            median(each[rules] for each in found),
            "CPU us/call",
        )
        for rules in found[0]
        if rules not in (FLOW, PYTHON)
    ]
    both = median(each[_RULES] + each[FLOW] for each in found)
    rows.append(
        at_most(f"policy with {_RULES} rules, and flow in a run that read 50 mails", both, "CPU us/call", _BOTH_US)
    )
    alone = median(each[PYTHON] for each in found)
    rows.append(at_most(f"contract and policy, {_RULES} rules, in Python alone", alone, "CPU us/call", _BOTH_US))
    whole = replace(KERNOS, name="kernos, actions", variant="actions", waves=8)
    cost = measure_all([whole], 64, options)[whole.name]
    rows.append(
        at_most(
            "a whole action: gate, intent, perform, record",
            cost.cpu_ms / cost.steps * 1_000,
            "CPU us/call",
            _WHOLE_US,
        )
    )
    return rows
