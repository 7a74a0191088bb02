"""Upgrading: every open run against the code on disk, before that is deployed."""

from collections.abc import Sequence
from dataclasses import dataclass

from kernos.app.cli.opening import find_registry
from kernos.app.cli.options import FAILED
from kernos.app.cli.replaying import print_difference
from kernos.app.cli.showing import print_json, progress
from kernos.app.records import Records
from kernos.app.settings import Settings
from kernos.app.stores import open_vault
from kernos.app.story import SHORT
from kernos.authoring.codec import codec_of
from kernos.control.record import Record, record_of
from kernos.control.reenact import Difference, reenact
from kernos.control.registry import Registry
from kernos.execution.worker import InProcessWorker
from kernos.vocabulary.errors import Outgrown, UnknownAgent
from kernos.vocabulary.ids import RunId


@dataclass(frozen=True, slots=True)
class Misfit:
    """A run that would be blocked. `present` is empty when its agent is not here; `why` when there is no difference to show."""

    run: RunId
    agent: str
    recorded: str
    present: str
    why: str
    difference: Difference | None = None


async def check_upgrade(settings: Settings, *, as_json: bool) -> int:
    """Print the open runs that would not go on with the code on disk; return 1 when there is any."""
    registry = find_registry(settings)
    worker = InProcessWorker({}, codec_of, vault=open_vault(settings.store))
    misfits: list[Misfit] = []
    checked = 0
    with Records(settings.store, settings.token) as records, progress("open runs") as advance:
        runs = await records.open_runs()
        for run in runs:
            record = record_of(await records.events(run))
            if record.ending is None and not record.state.ended:  # Else it ended since it was listed.
                misfit = await _check(record, registry, worker)
                misfits += [misfit] if misfit is not None else []
            checked += 1
            advance(checked, len(runs))
    if as_json:
        print_json({"fits": not misfits, "open_runs": checked, "misfits": misfits})
    else:
        _print(misfits, checked)
    return FAILED if misfits else 0


async def _check(record: Record, registry: Registry, worker: InProcessWorker) -> Misfit | None:
    """Do what a resume would: from the newest checkpoint that carries a state, else from the start."""
    request = record.state.request()
    known = registry.known_agent(request.agent)
    present = known.version if known is not None else ""
    try:
        agent = registry.agent(request.agent)
        replay = await reenact(record, agent, worker, from_checkpoint=True, strict=False)
    except (UnknownAgent, Outgrown) as error:
        return Misfit(record.state.run, request.agent, request.agent_version, present, str(error))
    if replay.difference is None:
        return None
    why = "it asks something else than it asked before"
    return Misfit(record.state.run, request.agent, request.agent_version, present, why, replay.difference)


def _print(misfits: Sequence[Misfit], checked: int) -> None:
    for misfit in misfits:
        now = f"version {misfit.present} here" if misfit.present else "no such agent here"
        print(f"run {misfit.run[:SHORT]} of {misfit.agent}, recorded by version {misfit.recorded}, {now}: {misfit.why}")
        if misfit.difference is not None:
            print_difference(misfit.difference)
    if misfits:
        print(f"{len(misfits)} of {checked} open runs would be blocked by the code on disk; the others go on")
        print("next: declare migrations, keep the old code until these runs have ended, or cancel them")
    else:
        all_of_them = f"all {checked} open runs go on with the code on disk" if checked else "there are no open runs"
        print(all_of_them)
