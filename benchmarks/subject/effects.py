"""kernos at the saga: the client with which the whole workload is checked, as it is."""

import asyncio
import importlib

from benchmarks.saga import AT_ONCE, working
from tests.external import taubench_client

if __name__ == "__main__":
    assert taubench_client.AT_ONCE == AT_ONCE, "the peers do as many tasks at once as this client"
    importlib.import_module("kernos.adapters.http.exchange")  # Imported at the first request: imports are not work.
    with working():
        asyncio.run(taubench_client.main())
