"""The program: `python -m examples.returns_desk.shop --port 0 --data FILE --seed 7 [--ready-file FILE]`."""

import argparse
import asyncio
import signal
from pathlib import Path

from aiohttp import web

from examples.returns_desk.shop.database import open_database
from examples.returns_desk.shop.service import Service


async def serve(port: int, data: Path, seed: int, ready_file: Path | None) -> None:
    """Serve until SIGTERM or SIGINT. The base URL is printed, and written to the ready file, once requests are taken."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    db = open_database(data, seed)
    runner = web.AppRunner(Service(db).application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        if ready_file is not None:
            half = ready_file.with_name(f"{ready_file.name}.half")
            half.write_text(url, encoding="utf-8")
            half.replace(ready_file)  # Whoever waits for the file never reads half of it.
        print(f"The shop is open at {url}", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()
        db.close()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m examples.returns_desk.shop", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 for any free one")
    parser.add_argument("--data", type=Path, required=True, help="the shop's own SQLite file; made if there is none")
    parser.add_argument("--seed", type=int, default=7, help="of a file that is made")
    parser.add_argument("--ready-file", type=Path, default=None, help="where to write the base URL")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.data, given.seed, given.ready_file))


if __name__ == "__main__":
    main()
