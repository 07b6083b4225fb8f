"""How long a command takes to start, beside the bare import of what it needs. In one run, on this machine.

    uv run python tests/benchmarks/start_up.py

Each command line is run in turn with the import it is compared with, `ROUNDS` times, interleaved; the medians and
the quotient of the medians are printed. A command that talks to systems is cut off where the first system would be
called: what is measured is its start.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time

from bytecode import keep_bytecode

ROUNDS = 15

STOP = """
import sys, time
sys.argv = ["toolkit", *{arguments!r}]
import toolkit.cli.opening as opening
from toolkit.environments import loading
class Reached(BaseException): pass
def choose(name):
    loaded = loading.load()
    return opening.Chosen(loaded.settings.environments["rp006"], loaded)
opening.choose = choose
from toolkit.systems import connections as module
import {sdks}
def reached(self, *a): raise Reached
module.Connections.redis = module.Connections.bucket = property(reached)
module.Connections.cluster = module.Connections.token = reached
from toolkit import __main__
try: __main__.run(sys.argv[1:])
except Reached: pass
"""


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def compare(name: str, ours: list[str], theirs_name: str, theirs: list[str], budget: float) -> None:
    seconds(ours), seconds(theirs)
    mine, bare = [], []
    for _ in range(ROUNDS):
        mine.append(seconds(ours))
        bare.append(seconds(theirs))
    a, b = statistics.median(mine), statistics.median(bare)
    print(f"{name:<28} {a * 1000:7.0f} ms   {theirs_name:<44} {b * 1000:7.0f} ms   x{a / b:.2f} (budget x{budget})")


def main() -> None:
    keep_bytecode()
    os.environ["TOOLKIT_HOME"] = "/nonexistent-toolkit-home"
    cores = os.cpu_count()
    print(f"Python {platform.python_version()}, {platform.machine()}, {cores} cores; median of {ROUNDS}\n")
    compare("toolkit --help", ["-m", "toolkit", "--help"], "import typer", ["-c", "import typer"], 1.3)
    for command, sdks in (
        ("groups list", "redis, google.cloud.storage"),
        ("groups find BRCA1", "redis, google.cloud.storage"),
        ("bucket ls", "google.cloud.storage"),
        ("cache status", "kubernetes.dynamic"),
        ("logs app", "kubernetes.dynamic"),
        ("redis address", "redis"),
    ):
        ours = ["-c", STOP.format(arguments=command.split(), sdks=sdks)]
        compare(f"toolkit {command}", ours, f"import typer, {sdks}", ["-c", f"import typer, {sdks}"], 1.3)


if __name__ == "__main__":
    main()
