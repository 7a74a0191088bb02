"""The desk as a process: runs the agents over a store until it is told to stop.

`python -m examples.returns_desk.desk.serve --store FILE --shop URL`; with `--model URL --model-name NAME` a language
model reads the tickets instead of the rules.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from examples.returns_desk.desk.agents import AGENTS, models
from examples.returns_desk.desk.service import SHOP_VARIABLE, shop
from kernos import Kernel

POLICIES = Path(__file__).parent.parent / "policies"


async def serve(store: Path, model_url: str, model_name: str) -> None:
    """Work until SIGTERM or SIGINT, or until the kernel stops; what is unfinished goes on at the next start."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    async with Kernel(store, agents=AGENTS, models=models(model_url, model_name), policies=POLICIES) as kernel:
        print(f"the desk {'works' if kernel.works else 'waits for another process'} on {store}", flush=True)
        kernel.engine.on_broken = lambda _: told.set()  # So that the desk never stands idle unnoticed.
        await told.wait()
        broken = kernel.engine.stopped
    await shop.close()
    if broken is not None:
        print(f"the desk has stopped: {broken}", flush=True)
        sys.exit(1)


def main() -> None:
    """Read the command line and serve."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--store", type=Path, required=True, help="the kernos store, made if it is not there")
    options.add_argument("--shop", required=True, help="base URL of the shop's service")
    options.add_argument("--model", default="", help="base URL of an OpenAI-compatible endpoint, up to /v1")
    options.add_argument("--model-name", default="", help="the model's name there")
    given = options.parse_args()
    os.environ[SHOP_VARIABLE] = given.shop
    asyncio.run(serve(given.store, given.model, given.model_name))


if __name__ == "__main__":
    main()
