"""Logs: 50,000 lines a second from 20 pods, followed; a file of 1 GB, opened and searched; what each step costs.

    uv run python tests/benchmarks/logs.py [--seconds 60] [--rate 50000] [--pods 20] [--size 1e9] [--dir DIR] [--keep]

Beside it, in the same run: the pods' logs read raw as `kubectl logs -f` reads them, GNU grep, Python's mmap + re,
toolong and stern (skipped, and that is said, where they cannot be had). Everything measured is a process of its own,
started as its user starts it. Exits 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import logs_of_a_file
from bytecode import keep_bytecode
from log_rows import Row, Verdict, own_megabytes, show

_HERE = Path(__file__).resolve().parent


def of_a_file(typed: argparse.Namespace, temporary: Path, variables: Mapping[str, str]) -> Iterator[Row]:
    folder = typed.dir or temporary
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "requests.log"
    try:
        make = [sys.executable, str(_HERE / "log_file.py"), str(path), str(int(typed.size))]
        subprocess.run(make, check=True)
        yield from logs_of_a_file.measure(path, variables)
    finally:
        if not typed.keep:
            path.unlink(missing_ok=True)


def stages(variables: Mapping[str, str]) -> Iterator[Row]:
    done = subprocess.run(
        [sys.executable, str(_HERE / "logs_stages.py")],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        text=True,
    )
    for line in done.stdout.splitlines():
        found = json.loads(line)
        rate = found["lines"] / found["seconds"]
        yield Row("one step alone", found["what"], found["seconds"], 0, f"{rate:,.0f} lines/s")


def main() -> int:
    keep_bytecode()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60, help="how long the pods write")
    parser.add_argument("--rate", type=float, default=50_000, help="lines a second, of all pods together")
    parser.add_argument("--pods", type=int, default=20)
    parser.add_argument("--size", type=float, default=1e9, help="bytes of the file")
    parser.add_argument("--dir", type=Path, help="where the file is made (default: a temporary folder)")
    parser.add_argument("--keep", action="store_true", help="keep it, for the next run with the same --dir")
    typed = parser.parse_args()
    temporary = Path(tempfile.mkdtemp(prefix="logs-"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOOLKIT_")}
    variables = {**kept, "TOOLKIT_HOME": str(temporary / "home"), "PYTHONPATH": str(_HERE.parents[1])}
    verdicts: list[Verdict] = []
    rows: list[Row] = []
    try:
        print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores", flush=True)
        for row in of_a_file(typed, temporary, variables):
            _say(row, rows)
        floor = own_megabytes()
        verdicts += logs_of_a_file.verdicts(rows)

        sys.path.insert(0, str(_HERE.parent))
        import logs_followed  # only now: what is imported here would count as the memory of what is started
        from noisy_cluster import Noise

        noise = Noise(typed.pods, typed.rate)
        followed = logs_followed.toolkit(temporary, variables, noise, typed.seconds)
        _say(followed.row, rows)
        _say(logs_followed.raw(temporary, noise, min(20.0, typed.seconds)), rows)
        verdicts[:0] = followed.verdicts(typed.rate)
        rows += stages(variables)
        show(rows, verdicts, floor)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return 1 if any(verdict.met is False for verdict in verdicts) else 0


def _say(row: Row, rows: list[Row]) -> None:
    print(f"{row.what}, {row.who}: {row.seconds:.2f} s", file=sys.stderr)
    rows.append(row)


if __name__ == "__main__":
    sys.exit(main())
