"""The sandbox's daemon: `python -m toolkit.sandbox.daemon`, started in the background by client.start().

It holds the world, writes what others need to find it (world.json, toolkit.toml, kubeconfig, vault-token) into its
directory, and ends on SIGTERM, when it is asked to, or after half an hour without anybody.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from toolkit import __version__, paths
from toolkit.errors import ToolkitError
from toolkit.progress import Advanced, Event, Progress
from toolkit.sandbox import leftovers
from toolkit.sandbox.configuration import private

log = logging.getLogger("toolkit.sandbox")

QUIET_SECONDS = 30 * 60.0
ALREADY_RUNNING = 3
KEPT = frozenset({"daemon.log", "daemon.lock", "start.lock"})


def main() -> None:
    """Run until the end. Exit codes: 0 ended as asked, 1 could not start, 3 another one runs already."""
    parser = argparse.ArgumentParser(prog="python -m toolkit.sandbox.daemon", description=__doc__)
    parser.add_argument("--quiet-seconds", type=float, default=QUIET_SECONDS, help="end after so long without anybody")
    parser.add_argument("--size", choices=("small", "full"), default="small", help="how big the groups are")
    parser.add_argument("--rebuild-seconds", type=float, default=8.0, help="how long the cache manager takes")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr, level=logging.INFO)
    logging.captureWarnings(capture=True)
    os.umask(0o077)
    directory = paths.state() / "sandbox"
    directory.mkdir(exist_ok=True, mode=0o700)
    lock = FileLock(directory / "daemon.lock", timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        log.error("A sandbox is running already in %s.", directory)
        sys.exit(ALREADY_RUNNING)
    try:
        for line in leftovers.clear(directory, KEPT):
            log.info("%s", line)
        asyncio.run(run(directory, arguments))
    except ToolkitError as error:
        log.error("%s", " ".join(part for part in (error.message, error.hint) if part))
        sys.exit(1)
    finally:
        leftovers.clear(directory, KEPT)
        lock.release()


async def run(directory: Path, arguments: argparse.Namespace) -> None:
    """Bring the world up, say where it is, and hold it until somebody or the quiet ends it."""
    from toolkit.sandbox.control import Control
    from toolkit.sandbox.perturbations import SIZES
    from toolkit.sandbox.world import World

    begun = time.monotonic()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    progress = Progress(lambda event: _write_down(directory / "starting.json", event))

    def end() -> None:
        progress.stop.set()
        over.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal it was started from is closed
    world = World(directory, SIZES[arguments.size], arguments.rebuild_seconds)
    token = secrets.token_urlsafe(32)
    about = {
        "pid": os.getpid(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "size": arguments.size,
    }
    control = Control(world, token, over.set, lambda: about)
    config_file = await world.start(progress)
    try:
        await control.start()
        content: dict[str, Any] = {**about, "control": {"url": control.url, "token": token}, "config": str(config_file)}
        private(directory / "world.json", json.dumps(content, indent=1))
        (directory / "starting.json").unlink(missing_ok=True)
        log.info("The sandbox is up after %.1f s.", time.monotonic() - begun)
        quiet = asyncio.create_task(
            _until_quiet(
                lambda: (control.calls, world.seen()),
                lambda: bool(control.busy or world.in_use),
                arguments.quiet_seconds,
            )
        )
        waiting = asyncio.create_task(over.wait())
        await asyncio.wait((quiet, waiting), return_when=asyncio.FIRST_COMPLETED)
        for task in (quiet, waiting):
            task.cancel()
        log.info("The sandbox ends%s.", "" if over.is_set() else " after a long quiet")
    finally:
        (directory / "world.json").unlink(missing_ok=True)
        with contextlib.suppress(asyncio.CancelledError):
            await control.close()
        await world.stop()


def _write_down(file: Path, event: Event) -> None:
    """How far the start has come, for who waits for it."""
    if isinstance(event, Advanced):
        private(file, json.dumps(dataclasses.asdict(event)))


async def _until_quiet(seen: Callable[[], object], in_use: Callable[[], bool], seconds: float) -> None:
    """Come back when for so many seconds nothing new was seen and nothing was in use."""
    last, since = seen(), time.monotonic()
    while time.monotonic() - since < seconds:
        await asyncio.sleep(min(5.0, seconds / 20))
        now = seen()
        if now != last or in_use():
            last, since = now, time.monotonic()


if __name__ == "__main__":
    main()
