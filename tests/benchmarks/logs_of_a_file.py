"""The part of logs.py about a large file: `toolkit logs` beside grep, Python's mmap + re, toolong and stern."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from log_file import RARE, SLOW
from log_rows import Row, Verdict, ended, run

FIRST, TAIL = "first screen", "last 100"
OURS, MMAP = "toolkit", "mmap + re"
SEARCHES = {"a rare literal": (RARE, False), "a frequent regex": (SLOW, False), "ignoring case": (RARE.lower(), True)}
MOST_FIRST = 1.0  # seconds
MOST_TIMES = 3.0  # as long as mmap + re
MOST_MEGABYTES = 300.0
_SCREEN = 50  # lines
_TOO_LONG = 60.0  # seconds

_MMAP = """
import mmap, re, sys
path, pattern, ignore = sys.argv[1:]
with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
    end = 0
    for found in re.finditer(pattern.encode(), text, re.IGNORECASE if ignore else 0):
        if found.start() >= end:
            start, end = text.rfind(b"\\n", 0, found.start()) + 1, text.find(b"\\n", found.end()) + 1 or len(text)
            sys.stdout.buffer.write(text[start:end])
"""


def measure(path: Path, variables: Mapping[str, str]) -> Iterator[Row]:
    ours = [sys.executable, "-m", "toolkit", "logs", str(path)]
    _warm(path)
    yield run(FIRST, OURS, ours, variables, first=_SCREEN)
    yield from _toolong(path)
    yield run(TAIL, OURS, [*ours, "-n", "100"], variables)
    yield run(TAIL, "tail", ["tail", "-n", "100", str(path)], variables)
    for what, (pattern, ignore) in SEARCHES.items():
        yield run(what, OURS, [*ours, "-o", "plain", "-g", pattern, *(["-i"] if ignore else [])], variables)
        yield run(what, MMAP, [sys.executable, "-c", _MMAP, str(path), pattern, "i" if ignore else ""], variables)
        for language in ("C.UTF-8", "C"):
            grep = ["grep", "-iE" if ignore else "-E", pattern, str(path)]
            yield run(what, f"grep ({language})", grep, {**variables, "LC_ALL": language})
    yield from _stern(path, variables)


def verdicts(rows: list[Row]) -> Iterator[Verdict]:
    found = {(row.what, row.who): row for row in rows}
    first, tail = found[FIRST, OURS], found[TAIL, OURS]
    yield Verdict(f"first screen after {first.seconds:.2f} s (target {MOST_FIRST:.0f})", first.seconds < MOST_FIRST)
    yield Verdict(f"the last 100 after {tail.seconds:.2f} s (target {MOST_FIRST:.0f})", tail.seconds < MOST_FIRST)
    for what in SEARCHES:
        times = found[what, OURS].seconds / found[what, MMAP].seconds
        yield Verdict(f"{what}: {times:.1f}x mmap + re (target {MOST_TIMES:.0f}x)", times <= MOST_TIMES)
    peak = max(row.megabytes for row in rows if row.who == OURS)
    yield Verdict(f"{peak:.0f} MB at most (target {MOST_MEGABYTES:.0f})", peak < MOST_MEGABYTES)


def _warm(path: Path) -> None:
    """So that everybody finds the file in memory."""
    with path.open("rb") as file:
        while file.read(1 << 22):
            pass


def _toolong(path: Path) -> Iterator[Row]:
    """Until the file's first line stands on the screen."""
    command = ["uvx", "--from", "toolong", "tl"]
    if (
        shutil.which("uvx") is None
        or subprocess.run([*command, "--version"], capture_output=True, check=False).returncode
    ):
        print("SKIPPED: toolong, which `uvx --from toolong tl` does not start here", file=sys.stderr)
        return
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    began = time.perf_counter()
    variables = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen([*command, str(path)], env=variables, stdin=there, stdout=there, stderr=there)
    os.close(there)
    seen = b""
    while b"heatmap" not in seen and time.perf_counter() - began < _TOO_LONG:
        if select.select([here], [], [], 1)[0]:
            try:
                seen += os.read(here, 1 << 16)
            except OSError:  # it has ended
                break
    seconds = time.perf_counter() - began
    process.terminate()
    os.close(here)
    _, megabytes = ended(process)
    if b"heatmap" in seen:
        yield Row(FIRST, "toolong", seconds, megabytes)
    else:
        print("SKIPPED: toolong, which showed no line", file=sys.stderr)


def _stern(path: Path, variables: Mapping[str, str]) -> Iterator[Row]:
    if shutil.which("stern") is None:
        print("SKIPPED: stern, which is not on PATH", file=sys.stderr)
        return
    pattern, _ = SEARCHES["a rare literal"]
    with path.open("rb") as file:
        began = time.perf_counter()
        process = subprocess.Popen(
            ["stern", "--stdin", "--include", pattern], env=variables, stdin=file, stdout=subprocess.DEVNULL
        )
        _, megabytes = ended(process)
    yield Row("a rare literal", "stern --stdin", time.perf_counter() - began, megabytes)
