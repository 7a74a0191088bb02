"""Budgets under SIGKILL: eight processes reserve on one account of one store, and four of them are killed in the middle."""

import subprocess
import sys
from pathlib import Path

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.adapters.system.clock import SystemClock
from kernos.control.projections import TABLES
from kernos.control.replay import compare, rebuild
from kernos.testing.storage import MemoryDisk, MemoryJournal
from tests.crash.budget_spender import BOUND, CAP, USED

_PROCESSES, _CALLS, _AT_ONCE = 8, 63, 8
"""504 calls in all, of which the cap has room for 200 to 286."""


async def test_500_calls_of_8_processes_stay_within_the_cap_although_some_are_killed(tmp_path: Path) -> None:
    path = tmp_path / "store"
    clock = SystemClock()
    journal = SqliteJournal(path, TABLES, clock, open_key=FileSigner.at)
    command = [sys.executable, "-m", "tests.crash.budget_spender", str(path)]
    spenders = [
        subprocess.Popen([*command, str(number), str(_CALLS)], stdout=subprocess.PIPE, text=True)
        for number in range(_PROCESSES)
    ]
    made, is_refused = 0, False
    for number, spender in enumerate(spenders):
        assert spender.stdout is not None
        if number % 2 == 0:
            made += sum(bool(spender.stdout.readline()) for _ in range(5))  # It is in the middle of its calls.
            spender.kill()
    for number, spender in enumerate(spenders):
        out, _ = spender.communicate(timeout=60)
        made += out.count("called")
        if number % 2:
            assert spender.returncode == 0
            is_refused = is_refused or out.count("called") < _CALLS
    (row,) = await journal.select("accounts", {})
    used, reserved = int(row["used"] or 0), int(row["reserved"] or 0)
    assert 0 < used <= CAP
    assert used >= made * USED, "a call was made that nothing was reserved for"
    assert reserved % BOUND == 0
    # Whoever was refused found no room for a bound; since then each call under way may have given back what it did not use.
    given_back = _PROCESSES * _AT_ONCE * (BOUND - USED)
    assert not is_refused or used > CAP - BOUND - given_back, "a call was refused although there was room"
    rebuilt = MemoryJournal(MemoryDisk(TABLES), clock)
    await rebuild(journal, rebuilt, lambda _: None)
    assert await compare(journal, rebuilt) == []
    await journal.close()
