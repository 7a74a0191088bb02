"""Erasure under SIGKILL: what was ordered is done, at the latest when a process opens the store again."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kernos import Kernel
from kernos.app.stores import open_vault
from kernos.ports.vault import Subject
from kernos.vocabulary.errors import Erased
from kernos.vocabulary.ids import DEFAULT_TENANT


async def test_an_erasure_whose_process_was_killed_is_done_at_the_next_start(tmp_path: Path) -> None:
    store = tmp_path / "desk.kernos"
    async with Kernel(store):
        pass
    vault = open_vault(store)
    handle = vault.seal(DEFAULT_TENANT, Subject("c017"), "pii.email", "canary.quetzal@example.org")
    vault.close()
    wrapped = (tmp_path / "desk.kernos.vault.slots").read_bytes()[17:77]

    killed = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("erasing.py")), str(store)], timeout=60, check=False
    )

    assert killed.returncode == -signal.SIGKILL
    assert not open_vault(store).is_destroyed(handle.key)
    async with Kernel(store, works=False) as kernel:
        with pytest.raises(Erased):
            kernel.vault.open(DEFAULT_TENANT, handle)
        assert not (await kernel.journal.verify(lambda *_: None)).findings
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert wrapped not in everything
    assert b"quetzal" not in everything


async def test_a_process_that_has_the_store_open_forgets_the_key_when_another_erases(tmp_path: Path) -> None:
    store = tmp_path / "desk.kernos"
    async with Kernel(store) as kernel:
        handle = kernel.vault.seal(DEFAULT_TENANT, Subject("c017"), "pii.email", "x@example.org")
        assert kernel.vault.open(DEFAULT_TENANT, handle) == "x@example.org"
        told = subprocess.run(
            [Path(sys.executable).with_name("kernos"), "erase", "C017", "--store", str(store), "--by", "ana", "--yes"],
            timeout=60, check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert "erased: 1 sealed values" in told.stdout
        await kernel.administrator.follow()
        with pytest.raises(Erased):
            kernel.vault.open(DEFAULT_TENANT, handle)
