"""What a benchmark of logs measures of a program: its seconds, its first output, its memory; and how that is shown."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Of ru_maxrss. A child counts what its parent had when it was started, so whoever measures has to be small.
_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


@dataclass(frozen=True)
class Row:
    """One measurement. `seconds` to the end of it, `megabytes` at most; `more` is for people."""

    what: str
    who: str
    seconds: float
    megabytes: float
    more: str = ""


@dataclass(frozen=True)
class Verdict:
    """One target, as a line for people, and whether it is met; None for what is only said."""

    text: str
    met: bool | None


def run(what: str, who: str, command: Sequence[str], variables: Mapping[str, str], *, first: int | None = None) -> Row:
    """Run a program and count the lines that it prints; `first`: only until so many are there, then it is ended."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    lines = 0
    while block := os.read(process.stdout.fileno(), 1 << 16):
        lines += block.count(b"\n")
        if first is not None and lines >= first:
            break
    seconds = time.perf_counter() - began
    if first is not None:
        process.terminate()
    process.stdout.close()
    status, megabytes = ended(process)
    if first is None:
        seconds = time.perf_counter() - began
        if status:
            raise SystemExit(f"{who} failed with {status}: {' '.join(command)}")
    return Row(what, who, seconds, megabytes, f"{lines:,} lines" if first is None else "")


def ended(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Wait for it; its exit code, and the most memory that it used, in MB."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_maxrss * _UNIT / 1e6


def own_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / 1e6


def show(rows: Sequence[Row], verdicts: Sequence[Verdict], floor: float) -> None:
    """`floor`: less memory than this cannot be told from it (MB)."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    table = Table(title="Logs", title_justify="left")
    for title in ("what", "who"):
        table.add_column(title)
    for title in ("seconds", "peak memory"):
        table.add_column(title, justify="right")
    table.add_column("")
    for at, row in enumerate(rows):
        last = at + 1 == len(rows) or rows[at + 1].what != row.what
        memory = (
            f"{row.megabytes:.0f} MB" if row.megabytes > floor else f"< {floor + 1:.0f} MB" if row.megabytes else ""
        )
        table.add_row(row.what, row.who, f"{row.seconds:.2f}", memory, row.more, end_section=last)
    console.print(table)
    for verdict in verdicts:
        word, style = {True: ("met", "green"), False: ("MISSED", "bold red"), None: ("", "dim")}[verdict.met]
        console.print(f"{word:<6}  {verdict.text}", style=style)
