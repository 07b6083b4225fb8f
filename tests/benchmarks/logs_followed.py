"""The part of logs.py about following: `toolkit logs -f` and reading raw, 20 pods at once; every line is counted.

The cluster is the sandbox's, in a process of its own (noisy_cluster.py). The toolkit is run as its user runs it, by its
command; what it prints is counted here.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import urllib3
import yaml
from log_rows import Row, Verdict, ended
from noisy_cluster import LABELS, NAMESPACE, Noise, Noisy, noisy_cluster

FOLLOWED = "followed"
_NUMBERED = re.compile(rb"(\d+) (\d+) INFO phenoapp")
_START = 2.0  # seconds that programs get before the pods write
_CATCH_UP = 60.0  # seconds
_KEPT_UP = 0.97  # of what is written: the last lines are waited for when nothing is written any more


@dataclass
class Counted:
    """What came of each pod's lines. `lags` are seconds from when a line was written to when it was printed."""

    next: list[int]
    rate: float  # of one pod
    begun: float = 0.0
    lines: int = 0
    lost: int = 0
    doubled: int = 0
    lags: list[float] = field(default_factory=list)

    def take(self, text: bytes) -> None:
        expected = self.next
        pod, number = b"", 0
        for pod, found in _NUMBERED.findall(text):
            which, number = int(pod), int(found)
            self.lines += 1
            if number == expected[which]:
                expected[which] = number + 1
            elif number < expected[which]:
                self.doubled += 1
            else:
                self.lost += number - expected[which]
                expected[which] = number + 1
        if pod:
            self.lags.append(time.monotonic() - self.begun - number / self.rate)


@dataclass(frozen=True)
class Followed:
    row: Row
    counted: Counted
    written: int
    seconds: float
    finished: bool

    def verdicts(self, rate: float) -> Iterator[Verdict]:
        counted = self.counted
        came = f"{counted.lines:,} came: {counted.lost:,} lost, {counted.doubled:,} doubled"
        yield Verdict(
            f"followed {self.written:,} lines, {came}",
            self.finished and counted.lines == self.written and not (counted.lost or counted.doubled),
        )
        reached = self.written / self.seconds
        yield Verdict(
            f"{reached:,.0f} lines a second with the wait for the last one (target {_KEPT_UP:.0%} of {rate:,.0f})",
            reached >= _KEPT_UP * rate,
        )


def toolkit(directory: Path, variables: Mapping[str, str], noise: Noise, seconds: float) -> Followed:
    """Follow until the last line of `seconds` has been printed."""
    with noisy_cluster(directory, noise) as noisy:
        config = directory / "toolkit.toml"
        context, kubeconfig = noisy.part.context, noisy.part.kubeconfig
        config.write_text(
            f'[clusters.noisy]\ncontext = "{context}"\nkubeconfig = "{kubeconfig}"\n[environments.bench]\n', "utf-8"
        )
        source = f"pods:noisy/{NAMESPACE}/app={LABELS['app']}"
        process = subprocess.Popen(
            [sys.executable, "-m", "toolkit", "logs", source, "-f", "-s", "5m", "--env", "bench"],
            env={**variables, "TOOLKIT_CONFIG": str(config)},
            stdout=subprocess.PIPE,
            stderr=(directory / "stderr").open("wb"),
        )
        assert process.stdout is not None
        time.sleep(_START)
        counted = Counted([0] * noise.pods, noise.rate / noise.pods)
        written, begun, end = 0, _begin(noisy, counted), 0.0
        rest = b""
        while block := os.read(process.stdout.fileno(), 1 << 20):
            whole, newline, rest = (rest + block).rpartition(b"\n")
            counted.take(whole + newline)
            now = time.monotonic()
            if not written and now - begun >= seconds:
                written, end = noisy.end(), now
            if written and (min(counted.next) >= written or now - end > _CATCH_UP):
                break
        took, finished = time.monotonic() - begun, bool(written) and min(counted.next) >= written
        if not counted.lines:
            raise SystemExit(f"nothing was followed:\n{(directory / 'stderr').read_text()}")
        process.send_signal(signal.SIGINT)
        process.stdout.close()
        cpu, used = os.times(), ended(process)
        after = os.times()
        work = after.children_user + after.children_system - cpu.children_user - cpu.children_system
    lags = counted.lags[len(counted.lags) // 10 :]
    more = (
        f"{counted.lines / took:,.0f} lines/s, {work / took:.0%} of a core; "
        f"behind {statistics.median(lags):.1f} s (median), {max(lags):.1f} s at most"
    )
    row = Row(FOLLOWED, "toolkit logs -f", took, used[1], more)
    return Followed(row, counted, written * noise.pods, took, finished)


def raw(directory: Path, noise: Noise, seconds: float) -> Row:
    """As `kubectl logs -f` of each pod: bytes as they come, of which only the lines are counted."""
    counts = [0] * noise.pods
    with noisy_cluster(directory, noise) as noisy:
        known = yaml.safe_load(Path(noisy.part.kubeconfig).read_text("utf-8"))
        address, token = known["clusters"][0]["cluster"]["server"], known["users"][0]["user"]["token"]
        manager = urllib3.PoolManager(maxsize=noise.pods)
        stop = threading.Event()

        def read(number: int) -> None:
            where = f"{address}/api/v1/namespaces/{NAMESPACE}/pods/noisy-{number:02d}/log?follow=true"
            answer = manager.request(
                "GET", where, headers={"Authorization": f"Bearer {token}"}, preload_content=False, timeout=5.0
            )
            while not stop.is_set():
                counts[number] += answer.read1(1 << 16).count(b"\n")
            answer.close()

        threads = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(noise.pods)]
        for thread in threads:
            thread.start()
        time.sleep(_START)
        cpu, begun = time.process_time(), time.monotonic()
        noisy.begin()
        time.sleep(seconds)
        took, cpu, lines = time.monotonic() - begun, time.process_time() - cpu, sum(counts)
        stop.set()
        for thread in threads:
            thread.join(1)
        noisy.end()
    return Row(FOLLOWED, "read raw", took, 0, f"{lines / took:,.0f} lines/s, {cpu / took:.0%} of a core; not merged")


def _begin(noisy: Noisy, counted: Counted) -> float:
    noisy.begin()
    counted.begun = time.monotonic()
    return counted.begun
