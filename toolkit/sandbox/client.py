"""How the commands and the tests come to the sandbox: start it, ask it, bring it into a state, stop it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import __version__, paths
from toolkit.errors import Failed, Unreachable, UsageError
from toolkit.progress import SILENT, Advanced, Progress
from toolkit.sandbox import room

STARTING_SECONDS = 60.0
_STOPPING_SECONDS = 15.0
_ASKING_SECONDS = 300.0  # a scenario with groups of full size takes its time


@dataclass(frozen=True)
class Running:
    """A sandbox that is up. `config_file` is its configuration, for environments.loading.load(sandbox=…)."""

    config_file: Path
    started_now: bool


def directory() -> Path:
    """Where the sandbox has its files."""
    return paths.state() / "sandbox"


def start(
    *,
    quiet_seconds: float = 1800.0,
    size: str = "small",
    rebuild_seconds: float = 8.0,
    progress: Progress = SILENT,
) -> Running:
    """The sandbox, which is started if it does not run. Raises Unreachable, with the end of its log, if it cannot.

    Only where it is started now: it ends by itself after `quiet_seconds` without anybody, its groups are "small" or
    "full" (see room.py), and a rebuild takes about `rebuild_seconds`. Raises Failed where there is no room for "full",
    UsageError where "full" is asked of one that runs and is small, and Interrupted when asked to stop meanwhile.
    """
    world = _world()
    if world is not None and world["version"] == __version__ and _answers(world):
        return _as_it_runs(world, size)
    if sys.platform == "win32":
        raise Unreachable(
            "The sandbox runs on Linux and macOS; this is Windows.", hint="Run the toolkit inside WSL (Ubuntu, say)."
        )
    from filelock import FileLock, Timeout

    directory().mkdir(exist_ok=True, mode=0o700)
    lock = FileLock(directory() / "start.lock", timeout=2 * STARTING_SECONDS, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        raise Unreachable(
            "Somebody else has been starting the sandbox for a while.",
            hint="Groups of full size take minutes; what it does is in " + str(directory() / "daemon.log"),
        ) from error
    try:
        world = _world()
        if world is not None and _answers(world):
            if world["version"] == __version__:
                return _as_it_runs(world, size)
            _stop(world)  # another version of the toolkit started it
        if size == "full":
            room.check(directory())
        options = {"--quiet-seconds": quiet_seconds, "--size": size, "--rebuild-seconds": rebuild_seconds}
        words = [str(part) for pair in options.items() for part in pair]
        patience = STARTING_SECONDS * (1 if size == "small" else 20)
        return Running(_start(words, patience, progress), started_now=True)
    finally:
        lock.release()


def stop() -> bool:
    """End the sandbox and wait until it is gone; False where none was running."""
    world = _world()
    if world is None:
        return False
    return _stop(world)


def status() -> dict[str, Any] | None:
    """What the running sandbox says of itself; None where none runs."""
    world = _world()
    if world is None:
        return None
    try:
        return _ask(world, "GET", "/v1/status")
    except Unreachable:
        return None


def apply_scenario(names: Sequence[str], environment: str = "", drill: str = "") -> dict[str, Any]:
    """Make the world healthy, then bring about each of these scenarios; gives back the status after it.

    With `drill`, a drill's id, no status names them until `reveal`.

    Raises UsageError for an unknown name, Unreachable where no sandbox runs.
    """
    body = {"names": list(names), "environment": environment, "drill": drill}
    return _ask(_running(), "POST", "/v1/scenario", body)


def reveal() -> dict[str, Any]:
    """Let the status name the scenarios again: the drill is over."""
    return _ask(_running(), "POST", "/v1/reveal", {})


def set_faults(system: str, settings: dict[str, Any] | None) -> dict[str, Any]:
    """Switch something wrong with one of its servers ("storage", "cluster principal" …); None switches all off."""
    body: dict[str, Any] = {"system": system}
    if settings is not None:
        body["set"] = settings
    return _ask(_running(), "POST", "/v1/faults", body)


def make_noise(rate: float, seconds: float, pods: int, environment: str = "") -> dict[str, Any]:
    """Let the app's pods write `rate` lines a second for so long, into at most `pods` of them; 0 ends it."""
    body = {"rate": rate, "seconds": seconds, "pods": pods, "environment": environment}
    return _ask(_running(), "POST", "/v1/noise", body)


def _running() -> dict[str, Any]:
    world = _world()
    if world is None:
        raise Unreachable("No sandbox is running.", hint="Start it: toolkit sandbox start")
    return world


def _as_it_runs(world: dict[str, Any], size: str) -> Running:
    if size == "full" and world.get("size") != size:
        raise UsageError(
            "A sandbox with small groups runs already.", hint="Stop it first (what is in it goes): toolkit sandbox stop"
        )
    return Running(Path(world["config"]), started_now=False)


def _world() -> dict[str, Any] | None:
    """What the daemon wrote down; None where there is nothing, or where it is not whole."""
    try:
        found = json.loads((directory() / "world.json").read_text("utf-8"))
        return found if {"pid", "version", "control", "config"} <= set(found) else None
    except (OSError, ValueError, TypeError):
        return None


def _answers(world: dict[str, Any]) -> bool:
    try:
        return bool(_ask(world, "GET", "/v1/status", seconds=10)["pid"] == world["pid"])
    except (Unreachable, KeyError):
        return False


def _ask(
    world: dict[str, Any], method: str, path: str, body: dict[str, Any] | None = None, seconds: float = _ASKING_SECONDS
) -> dict[str, Any]:
    control = world["control"]
    request = urllib.request.Request(  # noqa: S310 - the address is one that the daemon wrote into a private file
        control["url"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {control['token']}", "Content-Type": "application/json"},
    )
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with straight.open(request, timeout=seconds) as answer:
            found = json.load(answer)
            return found if isinstance(found, dict) else {}
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error) from None
    except (OSError, ValueError) as error:
        raise Unreachable(
            f"The sandbox (process {world['pid']}) does not answer.",
            hint="Is it ending just now? Start it again: toolkit sandbox start",
        ) from error


def _refusal(error: urllib.error.HTTPError) -> UsageError | Failed:
    try:
        found = json.loads(error.read())
        message, hint = str(found["message"]), str(found.get("hint", ""))
    except (ValueError, KeyError, TypeError, OSError):
        return Failed(f"The sandbox failed at this (HTTP {error.code}).", hint=f"Its log: {directory() / 'daemon.log'}")
    return UsageError(message, hint=hint) if error.code == 400 else Failed(message, hint=hint)


def _start(options: list[str], patience: float, progress: Progress) -> Path:
    log = directory() / "daemon.log"
    command = [sys.executable, "-m", "toolkit.sandbox.daemon", *options]
    # The toolkit may run from a source tree that is not installed.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *_python_path()])}
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            cwd=directory(),
            env=environment,
            start_new_session=True,
        )
    process_gone = False
    told: Advanced | None = None
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if progress.stop.is_set():
            _give_up(process)
            progress.check_stop()
        come = _how_far()
        if come is not None and come != told:
            progress.tell(come)
            told = come
        world = _world()
        if world is not None and world["pid"] == process.pid and _answers(world):
            # It outlives us: nobody is to be warned that it still runs.
            process.returncode = 0
            return Path(world["config"])
        if process.poll() is not None:
            process_gone = True
            break
        time.sleep(0.03)
    if not process_gone:
        process.kill()
        process.wait()
    raise Unreachable(
        "The sandbox did not come up" + (":" if _tail(log) else ".") + _tail(log),
        hint=f"The whole of what it said is in {log}.",
    )


def _how_far() -> Advanced | None:
    """How far the daemon that is starting has come, as it writes it down."""
    try:
        return Advanced(**json.loads((directory() / "starting.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _give_up(process: subprocess.Popen[bytes]) -> None:
    """End the daemon that is just starting: it stops between two frames, and takes its files along."""
    process.terminate()
    try:
        process.wait(STARTING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _python_path() -> list[str]:
    return [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]


def _tail(log: Path) -> str:
    """The last lines of the daemon's log, each on a line of its own."""
    try:
        lines = log.read_text("utf-8", "replace").strip().splitlines()[-6:]
    except OSError:
        return ""
    return "".join(f"\n  {line}" for line in lines)


def _stop(world: dict[str, Any]) -> bool:
    try:
        _ask(world, "POST", "/v1/stop", {}, seconds=10)
    except (Unreachable, Failed):
        return False  # it died; the next start cleans up after it
    from filelock import FileLock, Timeout

    # The daemon holds this lock as long as it lives.
    lock = FileLock(directory() / "daemon.lock", timeout=_STOPPING_SECONDS, mode=0o600)
    try:
        lock.acquire(poll_interval=0.03)
    except Timeout:
        with contextlib.suppress(ProcessLookupError):
            os.kill(world["pid"], signal.SIGKILL)
    else:
        lock.release()
    return True
