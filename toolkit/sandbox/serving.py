"""MapApp's pods at work: what they write while they start, while people use the map, and while somebody makes noise.

Nobody really asks them anything; the lines are made from a seed, as a Dash app writes them. Most are of Python's
logging, every sixth is JSON as Google's agents like it.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import UsageError
from toolkit.sandbox.builds import FRAMES
from toolkit.sandbox.kubernetes.resources import Object
from toolkit.sandbox.kubernetes.starting_pods import is_ready, measured

if TYPE_CHECKING:
    from toolkit.sandbox.kubernetes.api import ClusterServer
    from toolkit.sandbox.sites import Site

MOST_RATE: Final = 5000  # lines a second
MOST_SECONDS: Final = 3600.0
_EVERY: Final = 2.5  # seconds between two lines of a site without noise
_BEFORE: Final = 3 * 3600  # seconds of history that a pod has
_PATHS: Final = ("/map/heatmap", "/map/projection", "/_dash-update-component", "/groups", "/perts/search", "/images")
_PERTS: Final = ("BRCA1", "TP53", "REC-0000123", "KRAS", "REC-0004711", "EGFR", "PTEN")


@dataclass
class Noise:
    """Lines that are being written besides: `written` of them so far, until `until` (time.monotonic)."""

    rate: float
    pods: int
    until: float
    written: int = 0
    task: asyncio.Task[None] | None = None


@dataclass
class Serving:
    """The app's pods of `site`."""

    site: Site
    _noise: Noise | None = None
    _living: asyncio.Task[None] | None = None
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.site.place.seed)  # noqa: S311 - believable, not secret

    def start(self) -> None:
        """Let the pods write a line now and then, from now on."""
        self._living = asyncio.create_task(self._live())

    async def stop(self) -> None:
        tasks = [task for task in (self._living, self._noise.task if self._noise else None) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def cluster(self) -> ClusterServer:
        return self.site.shared.clusters[self.site.place.app_cluster]

    def pods(self) -> list[str]:
        """The names of the pods that serve now: no request reaches one that is not ready."""
        place = self.site.place
        found = self.cluster.list("Pod", place.app_namespace, f"app={place.deployment}")
        return [pod["metadata"]["name"] for pod in found if pod["status"]["phase"] == "Running" and is_ready(pod)]

    def write(self, pod: str, line: str, at: int | None = None) -> None:
        self.cluster.append_log(self.site.place.app_namespace, pod, line, container="app", at=at)

    # -- what they write

    def began(self, pod: str, at: datetime, *, now: datetime) -> None:
        """What a pod writes when it starts at `at`, and what it has written from then on until `now`."""
        group = self.site.groups[0].name
        seconds = at.timestamp()
        self._write_at(pod, seconds, f"INFO phenoapp.app: Loading the default group {group} from Redis")
        for frame in FRAMES[: self.site.place.frames_in_memory]:
            seconds += self._random.uniform(0.6, 1.4)
            self._write_at(pod, seconds, f"INFO phenoapp.cache: Loaded {group}:{frame} from Redis")
        count = self.site.place.frames_in_memory
        self._write_at(pod, seconds + 0.2, f"INFO phenoapp.app: {count} dataframes in memory; serving")
        last = now.timestamp()
        seconds = max(seconds + 5, last - _BEFORE)
        trouble = self._random.uniform(last - 0.7 * _BEFORE, last - 0.2 * _BEFORE)
        while seconds < last:
            self.write(pod, self._line(seconds), int(seconds * 1e9))
            following = seconds + self._random.uniform(20, 90)
            if seconds < trouble <= following:
                for line in _TRACEBACK:
                    self._write_at(pod, trouble, line)
                self.write(pod, _failed_callback(trouble + 2, self._random.choice(_PERTS)), int((trouble + 2) * 1e9))
                following = max(following, trouble + 3)
            seconds = following

    def began_anew(self, pod: str, *, crashes: bool, gets_ready: bool) -> None:
        """What a pod writes that starts now."""
        now = datetime.now(UTC)
        if not crashes and gets_ready:
            self.began(pod, now, now=now)
            return
        seconds, group = now.timestamp(), self.site.groups[0].name
        self._write_at(pod, seconds, f"INFO phenoapp.app: Loading the default group {group} from Redis")
        if crashes:
            for line in _CRASH:
                self._write_at(pod, seconds + 0.1, line)
        else:
            self._write_at(pod, seconds + 0.1, "WARNING phenoapp.app: Waiting for the image service; not serving yet")

    def _write_at(self, pod: str, seconds: float, words: str) -> None:
        text = words if words.startswith((" ", "Traceback", "redis.", "MemoryError")) else f"{_stamp(seconds)} {words}"
        self.write(pod, text, int(seconds * 1e9))

    def _line(self, seconds: float, number: int | None = None) -> str:
        """A line of a pod at work; `number` is a noise's."""
        chance, group = self._random, self.site.groups[0].name
        path, pert = chance.choice(_PATHS), chance.choice(_PERTS)
        took = chance.lognormvariate(5, 0.8)  # milliseconds
        user = f"scientist-{chance.randint(1, 40):02d}"
        mark = "" if number is None else f" request=noise-{number:07d}"
        if took > 600:
            return (
                f"{_stamp(seconds)} WARNING phenoapp.requests: Slow request: {path} took {took / 150:.1f} s "
                f"user={user} group={group} pert={pert}{mark}"
            )
        if chance.random() < 1 / 6:
            entry: dict[str, Any] = {
                "severity": "INFO",
                "time": datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds"),
                "message": f"GET {path} 200",
                "logger": "phenoapp.access",
                "user": user,
                "milliseconds": round(took),
            }
            return json.dumps(entry | ({} if number is None else {"request": f"noise-{number:07d}"}))
        return (
            f"{_stamp(seconds)} INFO phenoapp.requests: GET {path} 200 in {took:.0f} ms "
            f"user={user} group={group} pert={pert}{mark}"
        )

    # -- going on

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            pods = self.pods()
            if pods:
                self.write(self._random.choice(pods), self._line(time.time()))

    def make_noise(self, rate: float, seconds: float, pods: int) -> None:
        """Write `rate` lines a second into at most `pods` pods for so long; a rate of 0 ends what is going on."""
        if not 0 <= rate <= MOST_RATE or not 0 < seconds <= MOST_SECONDS or pods < 1:
            raise UsageError(
                f"At most {MOST_RATE} lines a second, for at most {MOST_SECONDS:g} s, into at least one pod."
            )
        if self._noise is not None and self._noise.task is not None:
            self._noise.task.cancel()
        self._noise = None
        if rate:
            self._noise = Noise(rate, pods, time.monotonic() + seconds)
            self._noise.task = asyncio.create_task(self._noisy(self._noise))

    @property
    def noise(self) -> Noise | None:
        """The noise that is going on."""
        noise = self._noise
        return noise if noise is not None and noise.task is not None and not noise.task.done() else None

    async def _noisy(self, noise: Noise) -> None:
        begun = time.monotonic()
        while (now := time.monotonic()) < noise.until:
            pods = self.pods()[: noise.pods]
            due = int((now - begun) * noise.rate)
            while pods and noise.written < due:
                self.write(pods[noise.written % len(pods)], self._line(time.time(), noise.written))
                noise.written += 1
            await asyncio.sleep(0.02)

    async def replace_pod(self) -> tuple[str, str]:
        """One pod is taken away, as when its node is drained, and another one starts; (gone, come)."""
        pods = self.pods()
        if not pods:
            raise UsageError(f"No pod of {self.site.place.deployment} runs in {self.site.place.name}.")
        place = self.site.place
        gone = self.cluster.get("Pod", place.app_namespace, pods[0])
        if gone is None:
            raise UsageError(f"Pod {pods[0]} has just gone.")
        self.write(pods[0], f"{_stamp(time.time())} WARNING phenoapp.app: Received SIGTERM, stopping")
        await asyncio.sleep(0.05)  # whoever follows it hears that
        self.cluster.delete("Pod", place.app_namespace, pods[0])
        come = self.cluster.put(_successor(gone))
        self.cluster.put(measured(come))
        name: str = come["metadata"]["name"]
        now = datetime.now(UTC)
        self.began(name, now, now=now)
        return pods[0], name


def _failed_callback(seconds: float, pert: str) -> str:
    entry = {
        "severity": "ERROR",
        "time": datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds"),
        "message": f"Callback heatmap.update failed: KeyError: {pert!r}",
        "logger": "phenoapp.callbacks",
        "pert": pert,
    }
    return json.dumps(entry)


def _successor(pod: Object) -> Object:
    """A pod of the same ReplicaSet that has just started."""
    from toolkit.sandbox.kubernetes.store import now, random_suffix

    metadata = {key: value for key, value in pod["metadata"].items() if key not in ("uid", "resourceVersion")}
    name = f"{metadata['name'].rpartition('-')[0]}-{random_suffix()}"
    statuses = [
        {**one, "state": {"running": {"startedAt": now()}}, "restartCount": 0}
        for one in pod["status"]["containerStatuses"]
    ]
    return {
        **pod,
        "metadata": {**metadata, "name": name, "creationTimestamp": now()},
        "status": {**pod["status"], "startTime": now(), "containerStatuses": statuses},
    }


def _stamp(seconds: float) -> str:
    """As Python's logging writes it, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S},{int(seconds % 1 * 1000):03d}"


_TRACEBACK: Final = (
    "ERROR phenoapp.cache: Reading a frame failed; it is tried again",
    "Traceback (most recent call last):",
    '  File "/app/phenoapp/cache.py", line 118, in frame',
    "    raw = self._redis.get(key)",
    '  File "/usr/local/lib/python3.11/site-packages/redis/commands/core.py", line 1829, in get',
    '    return self.execute_command("GET", name)',
    '  File "/usr/local/lib/python3.11/site-packages/redis/connection.py", line 543, in read_response',
    "    raise ConnectionError(\"Error while reading from redis-proxy:6379 : (104, 'Connection reset by peer')\")",
    "redis.exceptions.ConnectionError: Error while reading from redis-proxy:6379 : (104, 'Connection reset by peer')",
)
_CRASH: Final = (
    "Traceback (most recent call last):",
    '  File "/app/phenoapp/app.py", line 41, in <module>',
    "    memory.load(default_group())",
    '  File "/app/phenoapp/memory.py", line 63, in load',
    "    frames[name] = pyarrow.parquet.read_table(raw).to_pandas()",
    "MemoryError: could not allocate 536870912 bytes for compounds_split_by",
)
