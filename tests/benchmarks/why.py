"""How long `toolkit why` takes, cold and warm, beside the bare import of what it needs. In one run, on this machine.

    uv run python tests/benchmarks/why.py [--rounds N]

It has a running sandbox of its own. Cold: nothing is known of any frame, so the names in all are read. Warm: it
was asked before. Each measurement is a process of its own, and all kinds are run in turn; medians are shown.
`first finding` is when the first line is there, `all` when the process is over, both from its start; `CPU` is the
process's own; `own work` is `all` without the import of what it needs.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bytecode import keep_bytecode

from toolkit.sandbox import client

SDKS = "import redis, hvac, google.cloud.storage, kubernetes.dynamic, pyarrow.compute"
NEEDED = "import redis, hvac, google.auth.transport.requests, yaml, pyarrow.compute, toolkit.cli.why"
WHY = ["-m", "toolkit", "why", "BRCA1", "--env", "sandbox", "-o", "jsonl"]
MOST_COLD = 3.0  # seconds, all of it
MOST_FIRST = 0.5  # seconds to the first finding, without the start of Python and of the command


@dataclass(frozen=True)
class Took:
    """Seconds."""

    first: float
    all: float
    cpu: float


def measured(arguments: list[str]) -> Took:
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.readline()
    first = time.perf_counter() - start
    process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    took = Took(first, time.perf_counter() - start, usage.ru_utime + usage.ru_stime)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments} ended with {process.returncode}")
    return took


def rounds(count: int, home: Path) -> dict[str, Took]:
    """The medians, by what was run."""
    runs = {
        "import of the command": ["-c", "import toolkit.cli.why"],
        "import of what it needs": ["-c", NEEDED],
        "import of all the SDKs": ["-c", SDKS],
        "why, cold": WHY,
        "why, warm": WHY,
    }
    seen: dict[str, list[Took]] = {name: [] for name in runs}
    for number in range(count + 1):
        for name, arguments in runs.items():
            if name == "why, cold":
                shutil.rmtree(home / "cache", ignore_errors=True)
            took = measured(arguments)
            if number:  # the first round warms the file system's cache
                seen[name].append(took)
    return {name: _median(some) for name, some in seen.items()}


def _median(some: list[Took]) -> Took:
    median = statistics.median
    return Took(median(one.first for one in some), median(one.all for one in some), median(one.cpu for one in some))


def table(found: dict[str, Took]) -> None:
    needed, command = found["import of what it needs"], found["import of the command"]
    print("| | first finding | all | CPU | own work |\n|---|---|---|---|---|")
    for name, took in found.items():
        why = name.startswith("why")
        seen = f"{took.first:.2f} s" if why else ""
        own = f"{took.all - needed.all:.2f} s" if why else ""
        print(f"| {name} | {seen} | {took.all:.2f} s | {took.cpu:.2f} s | {own} |")
    cold = found["why, cold"]
    first = cold.first - command.all
    print(f"\ncold: {cold.all:.2f} s (budget {MOST_COLD:g} s), {'kept' if cold.all <= MOST_COLD else 'MISSED'}")
    print(
        f"first finding after the start: {first:.2f} s (budget {MOST_FIRST:g} s), "
        f"{'kept' if first <= MOST_FIRST else 'MISSED'}"
    )


def main() -> None:
    keep_bytecode()
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    count = parser.parse_args().rounds
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; median of {count}; "
        f"load {os.getloadavg()[0]:.1f}\n"
    )
    with tempfile.TemporaryDirectory() as home:
        os.environ["TOOLKIT_HOME"] = home
        client.start()
        try:
            found = rounds(count, Path(home))
        finally:
            client.stop()
    table(found)


if __name__ == "__main__":
    main()
