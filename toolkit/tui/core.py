"""What the app asks of the core, one method a question. Each blocks, so it is called in a thread; the modules that
answer (and the SDKs below them) are imported when the first question is asked, never before the first paint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import ToolkitError
from toolkit.tui.standing import Standing

if TYPE_CHECKING:
    from toolkit.actions.journal import Operation, Problem
    from toolkit.actions.plan import Action, Fact
    from toolkit.cache.bucket_folders import FolderCount, Index
    from toolkit.cache.download import GroupDownload
    from toolkit.cache.groups import GroupDetail, Overview
    from toolkit.cache.inspect.comparison import Difference
    from toolkit.cache.inspect.frame_headers import FrameHeader
    from toolkit.cache.loader.beside import Row as LoaderRow
    from toolkit.cache.search.find import Found
    from toolkit.cache.search.frame_perts import FramePerts, GroupPerts
    from toolkit.cache.workloads import Look
    from toolkit.checks.diagnosis.cause import Asked
    from toolkit.checks.diagnosis.verdict import Verdict
    from toolkit.checks.finding import Finding
    from toolkit.progress import Progress
    from toolkit.secret import Secret
    from toolkit.systems.bucket import BucketInfo, DownloadResult, Listing, ObjectDetails, ObjectInfo
    from toolkit.systems.bucket.names import Target
    from toolkit.systems.cluster.events import ObjectEvent
    from toolkit.systems.cluster.objects import CronJob, Job, Pod
    from toolkit.systems.connections import Connections
    from toolkit.systems.kafka import Event, Notice
    from toolkit.systems.vault import LoggedIn, TokenStatus
    from toolkit.tui.downloading import DownloadQuery
    from toolkit.tui.log_query import Chip, LogQuery, OpenLog
    from toolkit.tui.map_picture import Picture
    from toolkit.tui.picture_query import PictureQuery
    from toolkit.tui.widgets.job_rows import Row

_MOVES: Final = 1000  # of each frame, that a diff keeps


@dataclass(frozen=True)
class Manager:
    """The cache manager: its CronJob, its runs (the latest first), when it runs next (None: suspended, or `problem`
    says why that is not known). `facts` are there only where it was looked at thoroughly."""

    cronjob: CronJob
    jobs: tuple[Job, ...]
    next_run: datetime | None
    problem: str = ""
    facts: tuple[Fact, ...] = ()

    @property
    def running(self) -> Job | None:
        return next((job for job in self.jobs if not job.over), None)

    @property
    def last(self) -> Job | None:
        """The last run that ended."""
        return next((job for job in self.jobs if job.over), None)


@dataclass(frozen=True)
class Inspected:
    """What an inspection came to. `errors` are those of a layer that could not be read, or fell silent."""

    findings: tuple[Finding, ...]
    layer: str
    bytes_read: int
    bytes_total: int
    errors: tuple[ToolkitError, ...] = ()


class Core:
    """The questions about one environment. Everything raises ToolkitError where it cannot be answered."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.standing = Standing(connections)

    def token_status(self) -> TokenStatus:
        """Our Vault token: whose it is, how long it lives."""
        return self.connections.vault.token_status()

    def hop_names(self) -> tuple[str, ...]:
        """The hops of `hops`, in the order of their dependence."""
        from toolkit.checks import doctor

        return tuple(check.name for check in doctor.checks(self.connections))

    def hops(self) -> Iterator[Finding]:
        """Health hop by hop, each finding as it becomes known."""
        from toolkit.checks import doctor

        return doctor.hops(self.connections)

    def biohive(self) -> Iterator[Finding]:
        """Does ssh get me into BioHive, and is the toolkit there? Nobody is asked for a passphrase."""
        from toolkit.checks import biohive
        from toolkit.checks.runner import run

        return run(biohive.checks(self.connections))

    def loader(self) -> tuple[tuple[LoaderRow, ...], tuple[Finding, ...]]:
        """The group auto-loader's settings beside production's (none where neither can be read), and the findings."""
        from toolkit.cache.loader import beside
        from toolkit.checks import loader, questions, runner, shared

        run = shared.Run()
        names = ("loader-api", "loader-dry-run", "loader-settings", "loader-groups")
        checks = [questions.check(name, self.connections, {}, run=run) for name in names]
        found = {finding.name: finding for finding in runner.run(checks)}
        rows: tuple[LoaderRow, ...] = ()
        if any(finding.facts.get("configured") for finding in found.values()):
            with shared.within(run):
                rows = beside.rows(loader.look(self.connections))
        return rows, tuple(found[name] for name in names)

    def overview(self) -> Overview:
        """Every group, and what of it lies in L2 and L3."""
        from toolkit.cache.groups import overview

        return overview(self.connections)

    def cache_manager(self) -> Manager:
        """The CronJob in the cluster that the cache manager's part names, with the runs that are kept."""
        from toolkit.cache import rebuilds, schedules

        cronjob = rebuilds.find(self.connections)
        jobs = tuple(rebuilds.cluster_of(self.connections).jobs_of(cronjob))
        try:
            next_runs, problem = schedules.schedule_of(cronjob).next, ""
        except ToolkitError as error:
            next_runs, problem = (), error.message
        return Manager(cronjob, jobs, next_runs[0] if next_runs and not cronjob.suspended else None, problem)

    def cache_manager_thoroughly(self) -> Manager:
        """The same, with what one should know before a rebuild: is it the right cluster, is it the right image?"""
        from toolkit.actions.rebuild.facts import facts
        from toolkit.cache import rebuilds

        found = rebuilds.look(self.connections)
        address = rebuilds.cluster_of(self.connections).address
        next_runs = found.schedule.next if found.schedule is not None and not found.cronjob.suspended else ()
        return Manager(
            found.cronjob,
            found.jobs,
            next_runs[0] if next_runs else None,
            "; ".join(found.problems),
            tuple(facts(found, self.connections.environment, address)),
        )

    def group(self, name: str) -> GroupDetail:
        """One group with its frames, in both layers."""
        from toolkit.cache.groups import show

        return show(self.connections, name)

    def folder(self, prefix: str) -> Listing:
        """What lies directly in a folder of the bucket; `prefix` is empty or ends with a slash."""
        return self.connections.bucket.list(prefix, "/")

    def folder_pages(self, prefix: str) -> Iterator[Listing]:
        """The same, page by page as it comes."""
        return self.connections.bucket.pages(prefix)

    def index(self) -> Index:
        """The groups that the app offers, to say what a folder of the bucket is to it."""
        from toolkit.cache import bucket_folders

        return bucket_folders.index(self.connections)

    def folder_count(self, prefix: str, known: Index | None) -> Iterator[FolderCount]:
        """How much lies below `prefix`: so far with every page, at last all of it."""
        from toolkit.cache import bucket_folders

        known = known or bucket_folders.unread(self.connections)
        return bucket_folders.count(self.connections, prefix, known)

    def bucket_info(self) -> BucketInfo:
        """The bucket's own properties, among them how long it keeps what is deleted."""
        return self.connections.bucket.describe()

    def deleted_pages(self, prefix: str) -> Iterator[Listing]:
        """What the bucket still keeps of what was deleted below `prefix`, page by page."""
        return self.connections.bucket.pages(prefix, "", soft_deleted=True)

    def object_details(self, item: ObjectInfo) -> ObjectDetails:
        """All that the bucket says of that generation."""
        return self.connections.bucket.details(item)

    def remove(self, targets: Sequence[Target]) -> Action:
        """The action that removes these folders and objects from the bucket."""
        from toolkit.actions.bucket.remove import RemoveFromBucket

        return RemoveFromBucket(self.connections, targets)

    def restore(self, targets: Sequence[Target], *, overwrite: bool = False) -> Action:
        """The action that brings these generations back."""
        from toolkit.actions.bucket.restore import RestoreInBucket

        return RestoreInBucket(self.connections, targets, overwrite=overwrite)

    def get(self, targets: Sequence[Target], to: Path, progress: Progress, *, overwrite: bool) -> DownloadResult:
        """Download these folders and objects below `to`, each file checked."""
        from toolkit.actions.bucket.get import get

        return get(self.connections, targets, to, progress, overwrite=overwrite)

    def pods(self) -> list[Pod]:
        """The pods where the app and the cache manager live."""
        environment = self.connections.environment
        places = dict.fromkeys((part.cluster, part.namespace) for part in (environment.app, environment.cache_manager))
        return [
            pod for cluster, namespace in places if cluster for pod in self.connections.cluster(cluster).pods(namespace)
        ]

    def runbooks(self) -> list[tuple[str, str]]:
        """Every runbook's name, and its file."""
        from toolkit.walkthrough import library

        files = library.Library(library.folders()).files()
        return [(name, f"`toolkit runbook run {name}`") for name in files]

    def pert_names(self) -> tuple[str, list[str]]:
        """The default group, and all its perturbations by name."""
        from toolkit.cache.search import known_names

        return known_names.of_the_default_group(self.connections)

    def find_pert(self, name: str) -> Found:
        """Which groups hold it, where, and which do not."""
        from toolkit.cache.search import find

        answers = find.find(self.connections, [name])
        return answers.found[0]

    def pert_counts(self) -> Iterator[tuple[str, int]]:
        """Groups whose names were read before, with how many perturbations each has. No frame is read."""
        from toolkit.cache.search import frame_perts

        return frame_perts.counts(self.connections)

    def frame_headers(self, group: str, progress: Progress) -> Iterator[FrameHeader]:
        """What the frames of a group are, by their headers, in both layers."""
        from toolkit.cache.inspect import frame_headers

        return frame_headers.headers(self.connections, group, progress)

    def frame_perts(self, group: str, frame: str, layer: str | None, progress: Progress) -> FramePerts:
        """All perturbations of one frame; None: from Redis where it can be read there."""
        from toolkit.cache.search import frame_perts

        return frame_perts.of_frame(self.connections, group, frame, layer, progress)

    def group_perts(self, group: str) -> GroupPerts:
        """The genes and compounds of one group."""
        from toolkit.cache.search import frame_perts

        return frame_perts.of_group(self.connections, group)

    def inspect(self, group: str, progress: Progress, *, vectors: bool, full: bool) -> Inspected:
        """A group, looked into: its `vectors` too, and with `full` the checksums of both layers."""
        from toolkit.cache.inspect import inspection
        from toolkit.checks import inspected

        found = inspection.inspect(self.connections, group, progress, vectors=vectors, full=full)
        return Inspected(
            inspected.findings(self.connections, found), found.layer, found.bytes_read, found.bytes_total, found.errors
        )

    def diff(self, a: str, b: str, progress: Progress, *, vectors: bool) -> Difference:
        """Group `a` against group `b`; a group against itself: Redis against the bucket."""
        from toolkit.cache.inspect import comparison

        sides: tuple[Any, Any] = ("L2", "L3") if a == b else (None, None)
        return comparison.diff(self.connections, a, b, progress, sides=sides, limit=_MOVES, vectors=vectors)

    def picture(self, group: str, query: PictureQuery, progress: Progress) -> Picture:
        """A picture of the map, from the cached vectors of a group."""
        from toolkit.tui.map_picture import picture

        return picture(self.connections, group, query, progress)

    def download(self, query: DownloadQuery, progress: Progress) -> GroupDownload:
        """Bring the frames of a group here."""
        from toolkit.cache import download

        return download.download(
            self.connections, query.group, query.to, query.layer, query.frames, progress, overwrite=query.overwrite
        )

    def delete_groups(self, names: Sequence[str], backup: Path | None = None) -> Action:
        """The action that deletes groups from Redis, after saving them in `backup` where that is given."""
        from toolkit.actions.groups.delete import DeleteGroups

        return DeleteGroups(self.connections, list(names), backup)

    def flush(self, backup: Path | None = None) -> Action:
        """The action that empties Redis altogether."""
        from toolkit.actions.groups.flush import FlushRedis

        return FlushRedis(self.connections, backup)

    def login_methods(self) -> tuple[str, str]:
        """How this environment's Vault is logged in to, by its configuration; and the address."""
        vault = self.connections.vault
        return self.connections.environment.vault.login.method, str(vault.server)

    def log_in(self, user: str, secret: Secret) -> LoggedIn:
        """Log in to Vault: by password as `user`, or (without one) with a token that somebody has."""
        from toolkit.systems.vault import login

        part = self.connections.environment.vault.login
        mount = part.mount if part.method == "userpass" else ""
        way = login.UserPass(user, secret, mount) if user else login.Pasted(secret)
        return self.connections.vault.login(way)

    def why_names(self, asked: Asked) -> tuple[str, ...]:
        """The checks that the diagnosis of `asked` needs, in the order in which they are begun."""
        from toolkit.checks.diagnosis import asking, verdict

        del verdict  # only imported: `judge` is asked where nothing may be waited for
        return asking.names(asked)

    def why(self, asked: Asked) -> Iterator[Finding]:
        """Each finding of the diagnosis, as it becomes known."""
        from toolkit.checks.diagnosis import asking

        return asking.findings(self.connections, asked)

    def judge(self, asked: Asked, findings: Mapping[str, Finding]) -> Verdict:
        """What the findings so far speak for. Does not block, once `why_names` was asked."""
        from toolkit.checks.diagnosis.verdict import verdict

        return verdict(asked, findings)

    def mend(self, name: str, given: Mapping[str, str]) -> Action:
        """The action of that name, with its inputs."""
        from toolkit.actions import offers

        wanted = {one.name for one in offers.OFFERS[name].inputs} if name in offers.OFFERS else set()
        return offers.make(name, self.connections, {key: value for key, value in given.items() if key in wanted})

    def rebuild(self) -> Action:
        """The action that starts the cache manager and sees it through."""
        from toolkit.actions.rebuild import RebuildCache

        return RebuildCache(self.connections)

    def restart_app(self) -> Action:
        """The action that has MapApp's pods replaced, and sees that through."""
        from toolkit.actions.app.restart import RestartApp

        return RestartApp(self.connections)

    def workloads(self) -> Iterator[Look]:
        """The CronJobs, jobs and pods where the environment's parts live: place by place, as each answers."""
        from toolkit.cache.workloads import looks

        return looks(self.connections)

    def image(self) -> Finding:
        """Does the cache manager's image agree, from eng-infrastructure to the last run?"""
        from toolkit.cache import image_places
        from toolkit.checks import images

        return images.finding(image_places.look(self.connections))

    def app_memory(self) -> Finding:
        """Do MapApp's pods hold what the last rebuild wrote?"""
        from toolkit.cache import memory
        from toolkit.checks import app_pods

        return app_pods.finding(self.connections, memory.look(self.connections))

    def events(self, row: Row) -> list[ObjectEvent]:
        """The events about a row's object, the newest first; of a job's pods too."""
        from toolkit.cache.workloads import events

        uids = [thing.uid for thing in (row.cronjob, row.job, row.pod) if thing is not None]
        if row.job is not None:
            uids += [pod.uid for pod in row.look.pods if pod.owner == row.job.name]
        return events(self.connections, row.cluster, row.namespace, tuple(uids))

    def manifest(self, row: Row) -> str:
        """A row's object as YAML, without what may be secret."""
        return self.connections.cluster(row.cluster).manifest(row.kind, row.namespace, row.name)

    def kubectl(self, cluster: str, *words: str, namespace: str = "") -> str:
        """The command a person would type; asks nothing."""
        return self.connections.cluster(cluster).kubectl(*words, namespace=namespace)

    def by_hand(self, row: Row) -> tuple[str, ...]:
        """The commands that show the same as a row; asks nothing."""
        if row.problem is not None:
            return ()
        described = self.kubectl(row.cluster, "describe", row.kind, row.name, namespace=row.namespace)
        if row.cronjob is not None:
            return (described, self.kubectl(row.cluster, "get", "jobs,pods", namespace=row.namespace))
        what = row.name if row.pod is not None else f"job/{row.name}"
        return (described, self.kubectl(row.cluster, "logs", what, "-f", namespace=row.namespace))

    def is_own(self, row: Row) -> bool:
        """Whether a row is the cache manager's CronJob, or one of its runs or their pods; asks nothing."""
        from toolkit.cache.workloads import is_cache_manager

        name = row.stem or row.name
        return any(is_cache_manager(self.connections, one) for one in row.look.cronjobs if one.name == name)

    def logs(self, query: LogQuery, chips: tuple[Chip, ...] = ()) -> OpenLog:
        """A log that is open: what it says comes in batches, while `OpenLog.watching.run` runs in a thread."""
        from toolkit.tui.log_query import open_log

        return open_log(self.connections, query, chips)

    def group_events(self, count: int) -> Iterator[Event | Notice | None]:
        """The last `count` events of new groups, and each that comes; None where nothing came for a moment."""
        return self.connections.kafka.follow(count)

    def last_good_rebuild(self) -> datetime | None:
        """When the last run of the cache manager began that went well; None: the cluster knows of none."""
        job = next((job for job in self.cache_manager().jobs if job.state == "complete"), None)
        return None if job is None else job.started or job.created

    def operations(self) -> list[Operation]:
        """Every change in the journal, the latest first."""
        from toolkit.actions.journal import Journal

        return Journal().operations()[::-1]

    def unfinished(self) -> list[Operation]:
        """Changes whose process died before it wrote what came of them."""
        from toolkit.actions.journal import Journal

        return Journal().unfinished()

    def verify_journal(self) -> tuple[int, list[Problem]]:
        """How many entries the journal has, and every place where its chain does not hold."""
        from toolkit.actions.journal import Journal

        journal = Journal()
        return sum(1 for _ in journal.entries()), journal.verify()
