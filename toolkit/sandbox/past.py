"""What happened in an environment before the sandbox was started: the cache manager's runs, the app's restart.

The newest run is really carried out, at the time that it had: so Redis and the bucket hold what it left behind.
"""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from toolkit.errors import Failed
from toolkit.progress import SILENT, Progress
from toolkit.sandbox import manifests
from toolkit.sandbox.builds import FRAMES
from toolkit.sandbox.cache_manager import Clock
from toolkit.sandbox.collected import Container
from toolkit.sandbox.images import tag_at
from toolkit.sandbox.kubernetes.api import ClusterServer
from toolkit.sandbox.kubernetes.starting_pods import measured
from toolkit.sandbox.manifests import Object, PastRun
from toolkit.sandbox.places import GROUPS_IN_REDIS, last_monday_night

if TYPE_CHECKING:
    from toolkit.sandbox.sites import Site


# Some of the Gene Ontology, by gene.
_GO_TERMS = {
    "BRCA1": [{"id": "GO:0006281", "name": "DNA repair"}, {"id": "GO:0000724", "name": "double-strand break repair"}],
    "TP53": [{"id": "GO:0006915", "name": "apoptotic process"}],
    "MTOR": [{"id": "GO:0006914", "name": "autophagy"}],
}


async def put_runs(site: Site, runs: list[PastRun], progress: Progress = SILENT) -> None:
    """The Jobs of the CronJob that are over, with their pods and their logs. The newest run is carried out, and what
    failed fails; of the others only the main lines are told.

    `progress` is told how many frames the newest one has written.
    """
    cronjob = site.put_cronjob(datetime.now(UTC), runs)
    for number, run in enumerate(runs):
        job = site.cluster_now.put(manifests.past_job(cronjob, run, tag_at(run.started, datetime.now(UTC))))
        pod = site.cluster_now.put(manifests.past_pod(job, run))
        if number == 0 or run.failed:
            clock = Clock(run.seconds, run.started + timedelta(seconds=11))
            program = site.cache_manager(clock, functools.partial(_write, site.cluster_now, pod, clock))
            program.tag = manifests.tag_of(pod)
            program.reach.token = functools.partial(_known, site.password)
            if run.failed:
                program.reach.redis = _out_of_reach
            else:
                program.wrote = functools.partial(_tell, progress, len(site.groups) * len(FRAMES))
            code = await program.run()
            progress.check_stop()
            if number == 0 and code != 0:
                raise Failed(f"The sandbox's first rebuild ended with exit code {code}.", hint=_last_line(site, pod))
        else:
            for at, line in _good_run(site, run):
                metadata = pod["metadata"]
                site.cluster_now.append_log(metadata["namespace"], metadata["name"], line, at=at)
        container = pod["spec"]["containers"][0]["name"]
        site.cluster_now.log_of(pod["metadata"]["namespace"], pod["metadata"]["name"], container).close()


def put_app(site: Site, last: PastRun) -> None:
    """MapApp's pods, restarted by hand after the last run, as it should be."""
    cluster = site.shared.clusters[site.place.app_cluster]
    for item in manifests.app(
        site.place, datetime.now(UTC) - timedelta(days=211), last.finished + timedelta(minutes=24)
    ):
        stored = cluster.put(item)
        if item["kind"] == "Pod":
            started = datetime.fromisoformat(item["status"]["startTime"])
            cluster.put(measured(stored))
            site.serving.began(stored["metadata"]["name"], started, now=datetime.now(UTC))
    if site.place.pomerium:
        cluster.put(manifests.ingress(site.place, datetime.now(UTC) - timedelta(days=211)))


def put_go_terms(site: Site) -> None:
    """The GO terms as the run of the last Monday night left them, some hours after it began."""
    bucket, terms = site.place.side_panel_bucket, site.directory / "go-terms.json"
    terms.write_text(json.dumps(_GO_TERMS, indent=1), "utf-8")
    site.shared.storage.add_bucket(bucket, site.place.gcp_project)
    at = last_monday_night(datetime.now(UTC)) + timedelta(hours=2, minutes=17)
    site.put(bucket, "side-panel/go-terms.json", terms, at)


def ship_older(site: Site, scheduled: list[datetime]) -> None:
    """Runs of earlier weeks: their Jobs and pods are gone, what they wrote is still in Loki and Cloud Logging."""
    place = site.place
    for start in scheduled:
        run = PastRun(start, 3400)
        pod = f"{place.cronjob}-{int(start.timestamp() // 60)}-{int(start.timestamp()) % 46656:05x}"
        writer = Container(
            place.cache_manager_cluster, place.cache_manager_namespace, pod, "cache-manager", place.cronjob
        )
        for at, line in _good_run(site, run):
            site.shared.collected.ship(writer, at, line)


def _good_run(site: Site, run: PastRun) -> list[tuple[int, str]]:
    """The main lines of a run that went well: (nanoseconds, line)."""
    begun = run.started.timestamp() + 11
    seconds = run.seconds - 15
    told = [
        (0.0, f"Cache manager {tag_at(run.started, datetime.now(UTC))} starting for {site.place.argocd_application}"),
        (0.4, f"Reading the Redis token from Vault at secret/{site.place.vault_path}"),
        (0.9, f"Found {len(site.groups)} built groups; caching the newest {GROUPS_IN_REDIS}"),
        (1.1, "Connected to Redis"),
        (1.3, f"Dropping {GROUPS_IN_REDIS} groups from Redis"),
        (seconds, f"Done: {GROUPS_IN_REDIS} groups in Redis, {len(site.groups)} in the bucket, in {seconds:.1f} s"),
    ]
    return [
        (int((begun + after) * 1e9), f"{_stamp(begun + after)} INFO phenoapp.cache_manager: {words}")
        for after, words in told
    ]


def _stamp(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%F %T},{int(seconds % 1 * 1000):03d}"


def _last_line(site: Site, pod: Object) -> str:
    metadata, container = pod["metadata"], pod["spec"]["containers"][0]["name"]
    lines = site.cluster_now.log_of(metadata["namespace"], metadata["name"], container).lines
    return f"The last that it said: {lines[-1].text}" if lines else ""


def _write(cluster: ClusterServer, pod: Object, clock: Clock, line: str) -> None:
    """A line of the pod's log, written at the time that `clock` shows."""
    metadata = pod["metadata"]
    cluster.append_log(metadata["namespace"], metadata["name"], line, at=int(clock.now().timestamp() * 1e9))


def _tell(progress: Progress, total: int, written: int) -> None:
    progress.advance("written to Redis and the bucket", written, total, "frames")
    progress.check_stop()


async def _known(password: str) -> str:
    return password


def _out_of_reach(token: str) -> Any:
    """A Redis that is not there: what the run of two weeks ago met."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis(host="127.0.0.1", port=1, password=token, protocol=2, retry=Retry(NoBackoff(), 0))
