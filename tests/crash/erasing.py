"""A process that is killed between the order to erase somebody and the erasure: `python erasing.py STORE`."""

import asyncio
import os
import signal
import sys
from collections.abc import Collection
from pathlib import Path

from kernos import Erasure, Kernel
from kernos.adapters.sqlite.vault import SqliteVault
from kernos.app.stores import open_vault
from kernos.ports.vault import Vault


class Dying:
    """A vault whose process is gone before the first key is destroyed."""

    def __init__(self, vault: SqliteVault) -> None:
        self._vault = vault

    def __getattr__(self, name: str) -> object:
        return getattr(self._vault, name)

    def destroy(self, keys: Collection[str]) -> None:
        if keys:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingKernel(Kernel):
    def _open_vault(self) -> Vault:
        return Dying(open_vault(self.path))  # type: ignore[return-value]


async def main(store: Path) -> None:
    async with DyingKernel(store, works=False) as kernel:
        await Erasure(kernel).erase("C017", by="person:ana")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
