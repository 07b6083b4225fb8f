"""50,000 lines a second from 20 pods, followed and merged: are they all there, once, in order, and what does it cost?

    uv run python tests/benchmarks/logs_following.py [SECONDS]

The cluster runs in a process of its own; CPU and memory are those of the process that follows.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from noisy_cluster import LABELS, NAMESPACE, Count, Noise, Noisy, noisy_cluster, peak_megabytes

PODS, RATE, SECONDS = 20, 50_000, 20.0
_CATCH_UP = 30.0  # seconds


@dataclass(frozen=True)
class Followed:
    """What following came to. `cpu` and `server_cpu` are shares of one core; `behind` is how many seconds after the
    last line was written it was there."""

    count: Count
    written: int
    seconds: float
    cpu: float
    server_cpu: float
    megabytes: float
    behind: float


def follow(noisy: Noisy, pods: int, seconds: float) -> Followed:
    """Follow for `seconds`, then until the last line is there."""
    from toolkit.logs.pods import PodsSource
    from toolkit.logs.timeline import Following
    from toolkit.logs.workloads import selected
    from toolkit.systems.cluster import Cluster

    cluster = Cluster("noisy", noisy.part)
    source = PodsSource(selected(cluster, NAMESPACE, f"app={LABELS['app']}"))
    count, written, ended = Count(pods), None, 0.0
    with Following([source], time.time_ns() - 10**9) as following:
        batches = following.batches(0.5)
        next(batches)
        noisy.begin()
        begun, cpu, server = time.monotonic(), time.process_time(), noisy.cpu()
        for batch in batches:
            count.take(batch)
            now = time.monotonic()
            if written is None and now - begun >= seconds:
                written, ended = noisy.end(), now
            if written is not None and (min(count.next) >= written or now - ended > _CATCH_UP):
                break
        took = time.monotonic() - begun
        cpu, server = time.process_time() - cpu, noisy.cpu() - server
    cluster.close()
    return Followed(
        count, (written or 0) * pods, took, cpu / took, server / took, peak_megabytes(), time.monotonic() - ended
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as directory, noisy_cluster(Path(directory), Noise(PODS, RATE)) as noisy:
        done = follow(noisy, PODS, seconds)
    count = done.count
    print(f"{done.written:,} lines written by {PODS} pods in {seconds:.0f} s, {count.lines:,} followed and merged")
    print(f"lost {count.lost:,}, doubled {count.doubled:,}, out of order {count.unordered:,}")
    print(f"the last one was there {done.behind:.1f} s after it was written")
    print(f"{done.cpu:.0%} of a core here, {done.server_cpu:.0%} in the cluster; {done.megabytes:.0f} MB at most")
    for notice in count.notices[:20]:
        print(f"  {notice.kind}: {notice.text}")


if __name__ == "__main__":
    main()
