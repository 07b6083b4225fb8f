"""What a sandbox that was killed leaves behind: redis-servers that go on running, and its files."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

_PATIENCE = 5.0


def clear(directory: Path, keep: frozenset[str]) -> list[str]:
    """End the redis-servers that were started below `directory`, then empty it but for the names in `keep`.

    Gives back a line for each server that was ended. A process is ended only where it is still that redis-server: its
    number alone may belong to somebody else by now.
    """
    ended = []
    for file in directory.glob("*/redis/redis.pid"):
        with contextlib.suppress(ValueError, OSError):
            pid = int(file.read_text("ascii"))
            if is_redis_of(pid, file.parent):
                _end(pid, file.parent)
                ended.append(f"ended redis-server {pid}, which a sandbox had left running in {file.parent}")
    for entry in directory.iterdir():
        if entry.name in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    return ended


def is_redis_of(pid: int, directory: Path) -> bool:
    """Is that process of ours a Redis that works in `directory`?"""
    if pid <= 1:
        return False
    try:
        shown = subprocess.run(
            ["ps", "-ww", "-o", "uid=", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        ).stdout.split(None, 1)
    except (OSError, subprocess.SubprocessError):
        shown = _from_proc(pid)
    if len(shown) != 2 or shown[0] != str(os.getuid()) or "redis" not in shown[1]:
        return False
    if str(directory) in shown[1]:
        return True
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == directory.resolve()
    except OSError:  # not Linux: the server's title names its socket, which may lie in a folder with a shorter name
        return "mapapp-redis-" in shown[1]


def _from_proc(pid: int) -> list[str]:
    """Owner and command line, where there is no ps."""
    folder = Path(f"/proc/{pid}")
    try:
        words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        return [str(folder.stat().st_uid), words]
    except OSError:
        return []


def _end(pid: int, directory: Path) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + _PATIENCE
        while is_redis_of(pid, directory):
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.02)
