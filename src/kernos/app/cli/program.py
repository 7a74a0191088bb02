"""Program: the commands together, in the order in which one meets them."""

import typer

from kernos.app.cli.access import access
from kernos.app.cli.answering import answer, approve, cancel, deny, edit, resume, settle, signal
from kernos.app.cli.approvals import approval
from kernos.app.cli.auditing import effects, rehearse, why
from kernos.app.cli.beginning import init
from kernos.app.cli.budgets import budget
from kernos.app.cli.erasing import erase, reveal
from kernos.app.cli.grant import grant
from kernos.app.cli.heads import heads
from kernos.app.cli.keeping import doctor, rebuild, verify
from kernos.app.cli.keys import key
from kernos.app.cli.looking import config, ps, trace
from kernos.app.cli.policies import policy
from kernos.app.cli.repeating import export, fork, replay
from kernos.app.cli.running import dev, run
from kernos.app.cli.stopping import go, stop
from kernos.app.cli.undoing import reconcile, revert

app = typer.Typer(
    help="kernos: run agents that touch money and customers. Begin with `kernos init hello`.",
    rich_markup_mode=None,  # Plain help: drawing it with rich costs more than all the rest of the start.
    add_completion=False,
    pretty_exceptions_enable=False,
)

_COMMANDS = (
    init,
    dev,
    run,
    ps,
    trace,
    why,
    effects,
    approve,
    deny,
    edit,
    answer,
    settle,
    signal,
    cancel,
    resume,
    stop,
    go,
    revert,
    reconcile,
    reveal,
    erase,
    replay,
    fork,
    export,
    rehearse,
    verify,
    rebuild,
    doctor,
    config,
)
GROUPS = ("approval", "policy", "access", "grant", "budget", "key", "heads")
NAMES = (*(command.__name__ for command in _COMMANDS), *GROUPS)
for command in _COMMANDS:
    app.command()(command)
app.add_typer(approval, name="approval")
app.add_typer(policy, name="policy")
app.add_typer(access, name="access")
app.add_typer(grant, name="grant")
app.add_typer(budget, name="budget")
app.add_typer(key, name="key")
app.add_typer(heads, name="heads")
