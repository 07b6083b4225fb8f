"""Is a pert in a group of 2 GB? `toolkit groups find`, beside downloading everything and looking with pandas.

    uv run python tests/benchmarks/find_pert.py [--dir DIR] [--keep]

Each measurement is a process of its own. Its seconds are all of it, from its start to its end; `own` is without the
start of Python and the import of SDKs, which cost the same on both sides; bytes are what the servers sent. `find` reads
both layers, so each is asked with an empty one in the other's place; the last rows have both, and other kinds of
frames. Cold: nothing is known of the group. Warm: the same question was asked before. The token is given, where the
toolkit would ask Vault for it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bytecode import keep_bytecode
from full_group import EMPTY, FEATHER, FULL, GROUP, PACKED, TOKEN, Line, frames, make, served

DOWNLOAD, COLD, WARM = "download all, pandas", "find, cold", "find, warm"
PERT = "BRCA1"
COMPOUND = "REC-0000123"  # in the frames of other kinds
ROUNDS = 3
LATENCIES = (0.0, 0.030)
MOST_BYTES = 0.02  # of the group, cold
MOST_TIME = 0.1  # of the download's, cold
MOST_WARM = 0.1  # seconds of own work, warm

_PEAK = """
import json, resource, sys
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({{"peak": peak, **globals().get("found", {{}})}}), file=sys.stderr)
"""

WHOLE = """
from toolkit.secret import Secret
from toolkit.systems.connections import Connections
Connections.token = lambda self: Secret({token!r})
from toolkit.__main__ import run
status = run(["groups", "find", {pert!r}, "--env", {place!r}, "-o", "json"])
assert status == 0, status
"""

OWN = """
import time
import google.cloud.storage, pyarrow.parquet, pyarrow.feather, redis
from toolkit.cache.search.find import find
from toolkit.environments import loading
from toolkit.secret import Secret
from toolkit.systems.connections import Connections
settings = loading.load().settings
connections = Connections(settings.environments[{place!r}], settings)
connections._token = Secret({token!r})
began, worked = time.perf_counter(), time.process_time()
answers = find(connections, [{pert!r}])
found = {{"own": time.perf_counter() - began, "cpu": time.process_time() - worked,
          "frame_bytes": answers.found[0].bytes_read}}
assert answers.found[0].exact and not answers.found[0].unreadable and not answers.problems, answers
"""

FROM_REDIS = """
import io, time
import pandas, pyarrow.parquet, redis
began, worked = time.perf_counter(), time.process_time()
host, port = {redis!r}.split(":")
client = redis.Redis(host, int(port), password={token!r})
there = False
for key in {keys!r}:
    frame = pandas.read_parquet(io.BytesIO(client.get(key)))
    there |= bool(frame["pert"].isin([{pert!r}]).any())
assert there
found = {{"own": time.perf_counter() - began, "cpu": time.process_time() - worked}}
"""

FROM_BUCKET = """
import io, time
import pandas, pyarrow.parquet
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
began, worked = time.perf_counter(), time.process_time()
client = storage.Client("p", credentials=AnonymousCredentials(), client_options={{"api_endpoint": {storage!r}}})
there = False
for name in {names!r}:
    frame = pandas.read_parquet(io.BytesIO(client.bucket({bucket!r}).blob(name).download_as_bytes()))
    there |= bool(frame["pert"].isin([{pert!r}]).any())
assert there
found = {{"own": time.perf_counter() - began, "cpu": time.process_time() - worked}}
"""


@dataclass(frozen=True)
class Measured:
    """One row. `own` is without the start of Python and the import of SDKs, on either side; `cpu` is how much of it a
    processor worked; `frame_bytes` is how many `find` itself says it read."""

    layer: str
    latency: float
    what: str
    whole: float
    bytes: int
    peak: int
    own: float
    cpu: float
    frame_bytes: int = 0


class Bench:
    """The line to the servers, and a home for the toolkit in which only these environments are configured."""

    def __init__(self, line: Line, home: Path) -> None:
        self.line = line
        self.home = home
        config = home / "toolkit.toml"
        places = {
            "redis": (line.redis, EMPTY),
            "bucket": (line.empty_redis, FULL),
            "both": (line.redis, FULL),
            "feather": (line.empty_redis, FEATHER),
            "packed": (line.empty_redis, PACKED),
        }
        config.write_text(
            "".join(
                f'[environments.{name}]\nredis.address = "{redis}"\nredis.timeout_seconds = 60\n'
                f'bucket.name = "{bucket}"\nbucket.endpoint = "{line.storage}"\nbucket.timeout_seconds = 60\n'
                for name, (redis, bucket) in places.items()
            )
        )
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TOOLKIT_")}
        self.variables = {
            **kept,
            "TOOLKIT_HOME": str(home),
            "TOOLKIT_CONFIG": str(config),
            "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true",
        }

    def run(self, program: str, **values: object) -> tuple[float, int, dict[str, float]]:
        """(seconds, bytes that the servers sent, what it said at its end)"""
        before = self.line.bytes_sent()
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", (program + _PEAK).format(token=TOKEN, **{"pert": PERT, **values})],
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"a measurement failed:\n{done.stderr}")
        return seconds, self.line.bytes_sent() - before, json.loads(done.stderr.splitlines()[-1])

    def find(self, place: str, latency: float, *, warm: bool) -> Measured:
        """Medians of some rounds."""
        asked = {"place": place, "pert": COMPOUND if place in (FEATHER, PACKED) else PERT}
        rounds = []
        if warm:
            self.run(WHOLE, **asked)
        for _ in range(ROUNDS):
            found = []
            for program in (OWN, WHOLE):
                if not warm:
                    shutil.rmtree(self.home / "cache", ignore_errors=True)
                found.append(self.run(program, **asked))
            rounds.append(found)
        (_, count, own), (_, _, whole) = rounds[0]
        return Measured(
            place,
            latency,
            WARM if warm else COLD,
            statistics.median(whole[0] for _, whole in rounds),
            count,
            int(whole["peak"]),
            statistics.median(own[2]["own"] for own, _ in rounds),
            statistics.median(own[2]["cpu"] for own, _ in rounds),
            int(own["frame_bytes"]),
        )

    def download(self, layer: str, latency: float, names: list[str]) -> Measured:
        if layer == "redis":
            program, values = FROM_REDIS, {"redis": self.line.redis, "keys": [f"{GROUP}:{name}" for name in names]}
        else:
            objects = [f"{GROUP}/{name}.parquet" for name in names]
            program, values = FROM_BUCKET, {"storage": self.line.storage, "bucket": FULL, "names": objects}
        seconds, count, said = self.run(program, **values)
        return Measured(layer, latency, DOWNLOAD, seconds, count, int(said["peak"]), said["own"], said["cpu"])


def measure(bench: Bench, names: list[str]) -> Iterator[Measured]:
    for latency in LATENCIES:
        bench.line.latency(latency)
        for layer in ("redis", "bucket"):
            yield bench.download(layer, latency, names)
            yield from (bench.find(layer, latency, warm=warm) for warm in (False, True))
    for place in ("both", FEATHER, PACKED):
        yield from (bench.find(place, LATENCIES[-1], warm=warm) for warm in (False, True))


def verdicts(rows: list[Measured], total: int) -> Iterator[tuple[str, bool | None]]:
    """Each target, as a line for people, and whether it is met; None for what is only said."""
    found = {(row.layer, row.latency, row.what): row for row in rows}
    for layer in ("redis", "bucket"):
        for latency in LATENCIES:
            everything, cold, warm = (found[layer, latency, what] for what in (DOWNLOAD, COLD, WARM))
            at = f"{layer} at {latency * 1000:.0f} ms"
            share = cold.bytes / total
            yield f"{at}, cold: {share:.2%} of the bytes (target {MOST_BYTES:.0%})", share <= MOST_BYTES
            share = cold.own / everything.own
            yield f"{at}, cold: {share:.1%} of the time (target {MOST_TIME:.0%})", share <= MOST_TIME
            whole = cold.whole / everything.whole
            yield f"{at}, cold: {whole:.1%} of the time, the start of Python and SDKs counted in on both sides", None
            yield f"{at}, warm: {warm.frame_bytes} bytes of frames read (target 0)", warm.frame_bytes == 0
            # On a long line most of `own` is waiting for it; what is ours is what a processor worked.
            mine = warm.cpu if latency else warm.own
            text = f"{mine * 1000:.0f} ms of own work (target {MOST_WARM * 1000:.0f})"
            if latency:
                text += f"; {warm.own * 1000:.0f} ms with waiting for the line"
            yield f"{at}, warm: {text}", mine < MOST_WARM


def show(rows: list[Measured], lines: list[tuple[str, bool | None]], total: int) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    table = Table(title=f"Is {PERT} in a group of {total / 1e9:.2f} GB?", title_justify="left")
    for title in ("from", "latency", "what"):
        table.add_column(title)
    for title in ("seconds", "own", "of it CPU", "bytes", "of all", "peak memory"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            row.layer,
            f"{row.latency * 1000:.0f} ms",
            row.what,
            f"{row.whole:.2f}",
            f"{row.own:.3f}",
            f"{row.cpu:.3f}",
            f"{row.bytes:,}",
            f"{row.bytes / total:.2%}" if row.layer in ("redis", "bucket") else "",
            f"{row.peak / 1e6:.0f} MB",
            end_section=row.what == WARM,
        )
    console.print(table)
    for text, met in lines:
        word, style = {True: ("met", "green"), False: ("MISSED", "bold red"), None: ("", "dim")}[met]
        console.print(f"{word:<6}  {text}", style=style)


def main() -> int:
    keep_bytecode()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--dir", type=Path, help="where the group is made (default: a temporary directory)")
    parser.add_argument("--keep", action="store_true", help="keep it, for the next run with the same --dir")
    typed = parser.parse_args()
    temporary = Path(tempfile.mkdtemp(prefix="find-pert-"))
    folder = typed.dir or temporary / "group"
    try:
        print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; median of {ROUNDS}")
        make(folder)
        total = sum(file.stat().st_size for file in frames(folder))
        with served(folder) as line:
            rows = []
            for row in measure(Bench(line, temporary), [file.stem for file in frames(folder)]):
                print(f"{row.layer}, {row.latency * 1000:.0f} ms, {row.what}: {row.whole:.2f} s", file=sys.stderr)
                rows.append(row)
        lines = list(verdicts(rows, total))
        show(rows, lines, total)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if typed.dir is not None and not typed.keep:
            for file in (*frames(folder), folder / "compounds.feather", folder / "compounds.pkl.zst"):
                file.unlink(missing_ok=True)
    return 1 if any(met is False for _, met in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
