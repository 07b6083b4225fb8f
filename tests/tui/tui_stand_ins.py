"""A small made-up environment for the terminal app's tests: answers at once, breaks or hangs where it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.text import Text
from tui_diagnosis import well

from toolkit.actions.plan import Change, Damage, Fact, Outcome, Plan, Result
from toolkit.cache.bucket_folders import FolderCount, Index
from toolkit.cache.download import FrameFile, GroupDownload
from toolkit.cache.frame_names import FrameNames
from toolkit.cache.groups import Frame, Group, GroupDetail, Overview
from toolkit.cache.inspect.comparison import Difference
from toolkit.cache.inspect.differences import Concentrations, FrameDifference, Moved, Named, Side
from toolkit.cache.inspect.frame_headers import FrameHeader
from toolkit.cache.inspect.frame_report import ColumnInfo
from toolkit.cache.loader.beside import Row
from toolkit.cache.map.chosen_vectors import Missing
from toolkit.cache.perturbations import Perts
from toolkit.cache.presence import Presence
from toolkit.cache.search.find import Absent, Found, Where
from toolkit.cache.search.frame_perts import FramePerts, GroupPerts
from toolkit.cache.search.matching import Near
from toolkit.cache.workloads import Look, Place
from toolkit.checks.finding import Finding, Status
from toolkit.environments import model
from toolkit.environments.preferences import Tui
from toolkit.errors import Interrupted, NotAllowed, NotFound, ToolkitError, Unreachable
from toolkit.permit import Permit
from toolkit.pictures import files, matrix
from toolkit.progress import Progress
from toolkit.secret import Secret
from toolkit.systems.bucket import BucketInfo, DownloadResult, Listing, ObjectDetails, ObjectInfo
from toolkit.systems.cluster.events import ObjectEvent
from toolkit.systems.cluster.objects import Container, CronJob, Job, Pod
from toolkit.tui.core import Core, Inspected, Manager
from toolkit.tui.downloading import DownloadQuery
from toolkit.tui.map_picture import COLOURS, Picture
from toolkit.tui.opener import Choice
from toolkit.tui.picture_query import PictureQuery
from toolkit.tui.standing import LayersSeen, ManagerSeen, MemorySeen, Standing

NOW = datetime.now(UTC)
FRAMES = tuple(
    f"{kind}{split}{normalized}"
    for kind in ("genes", "compounds")
    for split in ("", "_split_by")
    for normalized in ("", "_normalized")
)
NAMES = tuple(f"rp006_2025w{week}_{what}" for week, what in (
    (47, "prox_bias_reduced"), (46, "prox_bias_reduced"), (45, "centerscale"), (44, "prox_bias_reduced"),
    (43, "centerscale"),
))  # fmt: skip
COLUMNS = (("pert", "string"), ("kind", "string"), ("concentration", "double"), ("vector", "list<float>"))
HOPS = (
    "configuration", "vault", "clock", "vault-token", "redis-token", "cluster prod-cluster", "cluster rp006-prod",
    "proxy-address", "tcp", "redis", "groups", "bucket", "bucket-permissions", "rebuild-permissions",
)  # fmt: skip
CLUSTERS = ("principal", "prod-cluster", "rp006-prod")
IMAGE = "europe-docker.example/phenoapp/cache-manager:2025.11.3"
APP_PODS = ("dash-phenoapp-v2-7d9f-abcde", "dash-phenoapp-v2-7d9f-fghij")
BROKEN = Unreachable(
    "The Redis proxy does not answer at 10.20.30.40:6379, which is also what its Service says.",
    hint="Are the proxy's pods running? Is your VPN up? `toolkit doctor` shows the first broken hop.",
    by_hand=("nc -vz 10.20.30.40 6379",),
)


def made_up_perts(kind: str, count: int) -> Perts:
    """So many perts, sorted, three of them known by their names."""
    known = ("BRCA1", "BRCA2", "TP53") if kind == "gene" else ()
    names = sorted([*known, *(f"{'GENE' if kind == 'gene' else 'REC-'}{n:07}" for n in range(count - len(known)))])
    series = [() if kind == "gene" else (0.1, 0.3, 1.0, 3.0)] * count
    return Perts(names, [kind] * count, series, [24] * count, [None] * count)


def environment(**changes: Any) -> model.Environment:
    made = model.Environment(
        name="rp006",
        title="RP006 (Roche: neuro, GI-onc)",
        bucket=model.Bucket(name="rp006-l3-cache", project="rp006-prod"),
        cache_manager=model.CacheManager(
            cluster="prod-cluster", namespace="phenoapp", cronjob="rp006-neuro-cache-manager-rxrx-cronjob"
        ),
        app=model.App(cluster="rp006-prod", namespace="phenoapp", deployment="dash-phenoapp-v2"),
    )
    return replace_struct(made, **changes)


def replace_struct(made: model.Environment, **changes: Any) -> model.Environment:
    import msgspec

    return msgspec.structs.replace(made, **changes)


@dataclass
class World:
    """What the made-up environment answers. `broken` maps a question's name to the error it raises; a question in
    `hanging` waits until `release` is set."""

    environment: model.Environment = field(default_factory=environment)
    broken: dict[str, ToolkitError | Exception] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    release: threading.Event = field(default_factory=threading.Event)
    findings: dict[str, Finding] = field(default_factory=dict)
    in_l2: int = 3
    in_l3: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    operations: list[Any] = field(default_factory=list)
    action: Rebuild | None = None
    app_reason: str = ""
    suspended: bool = False
    moved: str = ""
    events: list[ObjectEvent] = field(default_factory=list)
    login_method: str = "oidc"
    logins: list[tuple[str, Secret]] = field(default_factory=list)
    token_ttl: int = 2580
    soft_delete_seconds: int = 604_800
    deleted: list[ObjectInfo] = field(default_factory=list)
    not_fetched: list[Any] = field(default_factory=list)
    arrive: threading.Event = field(default_factory=threading.Event)
    said: str = ""
    diagnosis: dict[str, Finding] = field(default_factory=dict)
    stage: Any = None
    preferences: Tui = field(default_factory=Tui)
    corrupt: dict[tuple[str, str], str] = field(default_factory=dict)
    perts: Perts | None = None
    added: int = 3
    differing: bool = False
    waiting: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    closed: bool = False
    groups: Sequence[str] = NAMES
    stale_pods: int = 0
    place: str = ""
    says: str = ""
    change: Callable[[Manager], Manager] = lambda manager: manager  # the cache manager as Home finds it
    group_events: list[Any] = field(default_factory=list)

    def ask(self, name: str) -> None:
        self.asked.append(name)
        if name in self.hanging:
            self.release.wait()
        if name in self.broken:
            raise self.broken[name]


class StandInStanding(Standing):
    """What Home asks, from the same World."""

    def __init__(self, core: StandInCore) -> None:
        super().__init__(core.connections)
        self.core, self.world = core, core.world

    def forget(self) -> None:
        """Nothing is kept here."""

    def hop_names(self) -> tuple[str, ...]:
        return self.core.hop_names()

    def hops(self) -> Iterator[Finding]:
        return self.core.hops()

    def layers(self) -> LayersSeen:
        overview = self.core.overview()
        written = {group.name: NOW - timedelta(days=7 * n, hours=9) for n, group in enumerate(overview.groups)}
        return LayersSeen(overview, written, self._found("groups-complete"))

    def memory(self) -> MemorySeen:
        self.world.ask("memory")
        stale = self.world.stale_pods
        pods = tuple(SimpleNamespace(stale=number < stale) for number in range(4))
        memory = SimpleNamespace(pods=pods, stale=pods[:stale], told=True)
        usual = Finding("app-pods", Status.OK, "all 4 pods of dash-phenoapp-v2 started after the last rebuild")
        return MemorySeen(memory, self.world.findings.get("app-pods") or usual)  # type: ignore[arg-type]

    def manager(self) -> ManagerSeen:
        manager = self.world.change(self.core.cache_manager())
        found = self._found("cache-manager-place", "rebuild-running", "last-rebuild")
        return ManagerSeen(manager, self.world.place, self.world.says if manager.running else "", found)

    def image(self) -> Finding:
        self.world.ask("image")
        return self.world.findings.get("image") or Finding("image", Status.OK, "v3.41.2, as trunk asks")

    def pert_counts(self, stop: threading.Event) -> Iterator[tuple[str, int | None]]:
        for number, group in enumerate(self.core.made_up().groups):
            self.world.ask(f"perts {number}")
            if stop.is_set():
                return
            yield group.name, 17_204 - 311 * number

    def _found(self, *names: str) -> tuple[Finding, ...]:
        return tuple(self.world.findings[name] for name in names if name in self.world.findings)


class StandInCore(Core):
    """The core's questions, answered by a World."""

    def __init__(self, connections: Any) -> None:
        super().__init__(connections)
        self.world: World = connections.world
        self.standing = StandInStanding(self)

    def token_status(self) -> Any:
        self.world.ask("token_status")
        return SimpleNamespace(display_name="oidc-anna", ttl_seconds=self.world.token_ttl)

    def hop_names(self) -> tuple[str, ...]:
        self.world.ask("hop_names")
        return HOPS

    def hops(self) -> Iterator[Finding]:
        for name in HOPS:
            self.world.ask(f"hop {name}")
            yield self.world.findings.get(name) or Finding(
                name, Status.OK, f"{name} is as it should be", seconds=0.12, by_hand=(f"look --at {name}",)
            )

    def biohive(self) -> Iterator[Finding]:
        self.world.ask("biohive")
        yield finding("biohive", Status.OK, "in as ana on bh-login001, after 0.4 s")
        yield finding("biohive-toolkit", Status.WARN, "no toolkit there; uv is there", "toolkit biohive install")

    def loader(self) -> Any:
        self.world.ask("loader")
        rows = (
            Row("phenoservice API", "https://phenoservice.example", "https://phenoservice.example"),
            Row("dry run", "True", "False"),
            Row("model", "phenom 4.2.0", "phenom 4.2.0"),
            Row("transformations", "prox_bias_reduced", "prox_bias_reduced"),
            Row("", "", "hit_rescaled", differs=True),
        )
        lacks = finding(
            "loader-settings", Status.FAIL, "configome lacks hit_rescaled", "Tell those who build the groups."
        )
        good = [finding(name, Status.OK, "as it should be") for name in ("loader-api", "loader-dry-run")]
        return rows, (*good, lacks, finding("loader-groups", Status.OK, "release rp006_2025w47 has its 1 group"))

    def overview(self) -> Overview:
        self.world.ask("overview")
        return self.made_up()

    def made_up(self) -> Overview:
        groups = []
        for number, name in enumerate(self.world.groups):
            cached = number < self.world.in_l2
            l2, l3 = _held(8 if cached else 0), _held(self.world.in_l3.get(name, 8))
            built = NOW - timedelta(days=7 * number, hours=9) if cached else None
            notes = () if l3.complete else (f"incomplete in the bucket: {l3.frames} of 8 frames",)
            rank = number + 1 if cached else None
            groups.append(Group(name, rank, built, l2, l3, rank == 1, notes=notes))
        return Overview(tuple(groups))

    def group(self, name: str) -> GroupDetail:
        self.world.ask("group")
        found = next(group for group in self.overview().groups if group.name == name)
        cached = bool(found.l2.present)
        frames = tuple(Frame(f, 266_000_000 if cached else None, 264_000_000, 1, NOW) for f in FRAMES)
        return GroupDetail(found, frames)

    def cache_manager(self) -> Manager:
        self.world.ask("cache_manager")
        part = self.world.environment.cache_manager
        image = IMAGE
        cronjob = CronJob(
            part.cluster, part.namespace, part.cronjob, "uid-1", NOW, "0 18 * * 4", "America/Denver", False, "Forbid",
            (image,), (), None, None, 3, 1, {},
        )  # fmt: skip
        jobs = []
        for number in range(5):
            started = NOW - timedelta(days=7 * number + 3)
            failed = number == 2
            jobs.append(
                Job(
                    part.cluster, part.namespace, f"{part.cronjob}-2937{number}", f"uid-{number}", "uid-1", started,
                    started, started + timedelta(minutes=4 if failed else 57 + number),
                    "failed" if failed else "complete", "BackoffLimitExceeded" if failed else "",
                    "Job has reached the specified backoff limit" if failed else "", number == 1, image, int(failed),
                )
            )  # fmt: skip
        return Manager(cronjob, tuple(jobs), NOW + timedelta(days=4))

    def cache_manager_thoroughly(self) -> Manager:
        facts = (
            Fact("cluster", "prod-cluster at https://10.0.0.2"),
            Fact("identity", "kube-system UID 5f3c, Kubernetes v1.33; the same since 2025-11-02"),
            Fact("elsewhere", "no CronJob of that name in principal, rp006-prod"),
            Fact("image", "phenoapp/cache-manager:2025.11.3, but eng-infrastructure asks for 2025.11.4", Status.WARN),
        )
        return replace(self.cache_manager(), facts=facts)

    def folder(self, prefix: str) -> Any:
        self.world.ask(f"folder {prefix}")
        if prefix:
            objects = [
                ObjectInfo(f"{prefix}{f}.parquet", 1764000000000001, 264_000_000, NOW - timedelta(days=3), "yZRlqg==")
                for f in FRAMES
            ]
            return SimpleNamespace(folders=(), objects=tuple(objects))
        return SimpleNamespace(folders=tuple(SimpleNamespace(path=f"{name}/") for name in sorted(NAMES)), objects=())

    def folder_pages(self, prefix: str) -> Iterator[Any]:
        yield self.folder(prefix)

    def index(self) -> Index:
        self.world.ask("index")
        ranks = {name: rank for rank, name in enumerate(NAMES[: self.world.in_l2], 1)}
        return Index(FrameNames("{group}/{frame}.parquet", "cache.frame_object"), expected=8, ranks=ranks)

    def folder_count(self, prefix: str, known: Any) -> Iterator[FolderCount]:
        self.world.ask(f"size {prefix}")
        group = prefix.rstrip("/")
        there = self.world.in_l3.get(group, 8)
        newest = NOW - timedelta(days=3)
        yield FolderCount(there // 2, there * 125_000_000, newest)
        frames = {group: frozenset(FRAMES[:there])} if group in NAMES else {}
        yield FolderCount(there, there * 264_000_000, newest, frames, whole=True)

    def bucket_info(self) -> BucketInfo:
        self.world.ask("bucket_info")
        return BucketInfo("rp006-l3-cache", "rp006-prod", "US-CENTRAL1", self.world.soft_delete_seconds)

    def deleted_pages(self, prefix: str) -> Iterator[Listing]:
        self.world.ask("deleted")
        yield Listing((), tuple(self.world.deleted))

    def object_details(self, item: Any) -> ObjectDetails:
        self.world.ask(f"details {item.path}")
        facts = (("storage class", "STANDARD"), ("metageneration", "1"))
        return ObjectDetails(item, "application/vnd.apache.parquet", "XrY7u+Ae7tCTyyK7j1rNww==", item.updated, facts)

    def remove(self, targets: Sequence[Any]) -> Any:
        self.world.asked.append("remove " + " ".join(target.path for target in targets))
        return self.rebuild()

    def restore(self, targets: Sequence[Any], *, overwrite: bool = False) -> Any:
        self.world.asked.append("restore " + " ".join(f"{t.path}#{t.generation}" for t in targets))
        return self.rebuild()

    def get(self, targets: Sequence[Any], to: Path, progress: Progress, *, overwrite: bool) -> DownloadResult:
        self.world.ask(
            f"get {' '.join(target.path for target in targets)} to {to}{' overwriting' if overwrite else ''}"
        )
        if self.world.said:
            progress.note(self.world.said)
        progress.advance("downloaded", 1_200_000_000, 2_110_000_000, "bytes")
        while not self.world.arrive.wait(0.01):
            progress.check_stop()
        return DownloadResult((to / "a", to / "b"), (), tuple(self.world.not_fetched), 2_110_000_000)

    def pods(self) -> list[Any]:
        self.world.ask("pods")
        return [_app_pod(name, self.world.app_reason if name == APP_PODS[1] else "") for name in APP_PODS]

    def workloads(self) -> Iterator[Look]:
        manager, part = self.cache_manager(), self.world.environment.cache_manager
        ours = replace(manager.cronjob, suspended=self.world.suspended)
        other = replace(ours, name="side-panel-go-terms", uid="uid-go", schedule="0 3 * * 1", suspended=False)
        pods = tuple(_job_pod(job, number) for number, job in enumerate(manager.jobs))
        held = (
            Look(Place(part.cluster, part.namespace, ("cache manager",)), (ours, other), manager.jobs, pods),
            Look(
                Place("rp006-prod", "phenoapp", ("app",)),
                pods=tuple(_app_pod(name, self.world.app_reason if name == APP_PODS[1] else "") for name in APP_PODS),
                deployment="dash-phenoapp-v2",
            ),
        )
        for look in held:
            try:
                self.world.ask(f"workloads {look.place.cluster}")
            except ToolkitError as problem:
                yield Look(look.place, problem=problem)
            else:
                yield replace(look, moved=self.world.moved) if look.cronjobs else look

    def image(self) -> Finding:
        self.world.ask("image")
        return Finding(
            "image",
            Status.FAIL,
            "the CronJob has phenoapp/cache-manager:2025.11.3, trunk asks for phenoapp/cache-manager:2025.11.4",
            hint="Sync it in Argo CD by hand: argocd app sync rp006-neuro-cache-manager",
            evidence=(
                "eng-infrastructure: phenoapp/cache-manager:2025.11.4",
                "CronJob: phenoapp/cache-manager:2025.11.3",
            ),
            facts={"wanted": [IMAGE.replace("11.3", "11.4")], "since": "2025-11-21T09:12:00+00:00"},
        )

    def app_memory(self) -> Finding:
        self.world.ask("app_memory")
        return Finding(
            "app-pods", Status.OK, "all 2 pods of dash-phenoapp-v2 in rp006-prod started after the last rebuild"
        )

    def events(self, row: Any) -> list[ObjectEvent]:
        self.world.ask(f"events {row.name}")
        return self.world.events

    def manifest(self, row: Any) -> str:
        self.world.ask(f"manifest {row.name}")
        return f"apiVersion: batch/v1\nkind: {row.kind}\nmetadata:\n  name: {row.name}\n"

    def kubectl(self, cluster: str, *words: str, namespace: str = "") -> str:
        return " ".join(("kubectl", "--context", cluster, "-n", namespace, *words))

    def restart_app(self) -> Any:
        return self.rebuild()

    def pert_names(self) -> tuple[str, list[str]]:
        self.world.ask("pert_names")
        return NAMES[0], ["BRCA1", "BRCA2", "REC-0000123", "TP53"]

    def find_pert(self, name: str) -> Any:
        self.world.ask("find_pert")
        if name == "BRAC1":
            near = (Near("BRCA1", 80.0, "two letters changed places"), Near("BRCA2", 60.0, "2 letters differ"))
            return Found(name, (), (Absent(NAMES[0], "L2", 8, 0, "in none of the 8 frames"),), near, 0, 0, groups=NAMES)
        matches = tuple(Where(NAMES[0], "L2", f, name, "gene", (), 24, 3, True, "exact") for f in FRAMES[:4])
        absent = (Absent(NAMES[4], "L3", 8, 0, "none of its frames has it"),)
        return Found(name, matches, absent, (), 0, 0, groups=NAMES)

    def pert_counts(self) -> Iterator[tuple[str, int]]:
        self.world.ask("pert_counts")
        yield NAMES[0], 1204

    def frame_headers(self, group: str, progress: Progress) -> Iterator[FrameHeader]:
        self.world.ask("frame_headers")
        columns = tuple(ColumnInfo(name, kind) for name, kind in COLUMNS)
        for number, frame in enumerate(FRAMES):
            for layer in ("L2", "L3") if group in NAMES[: self.world.in_l2] else ("L3",):
                why = self.world.corrupt.get((frame, layer), "")
                rows = None if why else 17_480 * (number + 1)
                yield FrameHeader(frame, layer, 266_000_000, "parquet", rows, () if why else columns, 18_400, why)

    def frame_perts(self, group: str, frame: str, layer: str | None, progress: Progress) -> FramePerts:
        self.world.ask("frame_perts")
        kind = "gene" if frame.startswith("genes") else "compound"
        perts = self.world.perts or made_up_perts(kind, 1204)
        return FramePerts(group, frame, layer or "L2", perts, 266_000_000, 4_200_000)

    def group_perts(self, group: str) -> GroupPerts:
        self.world.ask("group_perts")
        return GroupPerts(("BRCA1", "BRCA2", "KRAS", "TP53"), ("REC-0000123", "REC-0000456"))

    def inspect(self, group: str, progress: Progress, *, vectors: bool, full: bool) -> Inspected:
        progress.step(f"Reading 8 frames of {group} from Redis: 2.1 GB")
        progress.advance("read", 600_000_000, 2_110_000_000, "bytes")
        self.world.ask("inspect")
        self.world.stop = progress.stop
        while "inspect" in self.world.waiting:
            progress.check_stop()
            progress.stop.wait(0.01)
        found = [
            Finding("vectors of length 1", Status.OK, "8 frames, 96,000 vectors, lengths 1.0000 to 1.0000"),
            Finding("no NaN, no infinity", Status.FAIL, "12 of 96,000 vectors, in genes_normalized",
                    by_hand=(f"toolkit groups inspect {group}",)),
            Finding("same bytes in both", Status.UNKNOWN, "the bucket could not be read"),
            *(Finding(f"{frame} (L2)", Status.OK, "17,480 rows, 1,204 gene, length 1") for frame in FRAMES),
        ]  # fmt: skip
        return Inspected(tuple(found), "L2", 2_110_000_000 if vectors else 9_000_000, 4_220_000_000)

    def diff(self, a: str, b: str, progress: Progress, *, vectors: bool) -> Difference:
        self.world.ask("diff")
        worst = (Moved("TP53", "gene", None, 0.12), Moved("REC-0000123", "compound", 3.0, 0.55)) if vectors else ()
        frames = tuple(FrameDifference(frame, False, 1204, 1204, len(worst), worst=worst) for frame in FRAMES[:1])
        return Difference(
            Side(a, "L2"), Side(b, "L2" if a != b else "L3"), frames,
            tuple(Named(f"NEW{number}", "gene") for number in range(self.world.added)), (Named("BRCA2", "gene"),),
            (Concentrations("REC-0000123", "compound", (10.0,), (0.03,)),), (), (), 0.9, 9_000_000, 4_220_000_000,
        )  # fmt: skip

    def picture(self, group: str, query: PictureQuery, progress: Progress) -> Picture:
        self.world.ask("picture")
        labels = list(query.perts)
        values = [[1.0 if a == b else round(0.3 * (a + b) % 2 - 1, 2) for b in range(len(labels))]
                  for a in range(len(labels))]  # fmt: skip
        return Picture(
            query,
            lambda width, _: [*matrix.drawn(labels, values, width), Text(), matrix.legend(labels, width)],
            files.heatmap(labels, values, "Cosine similarity"),
            COLOURS,
            "Read 38.6 kB of 143 kB (26.9%): genes_normalized.",
            missing=(Missing("BRAC1", "not in any frame", (Near("BRCA1", 90.0, "two letters changed places"),)),),
        )

    def download(self, query: DownloadQuery, progress: Progress) -> GroupDownload:
        self.world.ask("download")
        progress.step("Downloading 8 frames")
        progress.advance("downloaded", 633_000_000, 2_110_000_000, "bytes")
        self.world.stop = progress.stop
        while "download" in self.world.waiting:
            if progress.stop.wait(0.01):
                raise Interrupted("Stopped on request: 2 of 8 files are whole.")
        differs = (
            "" if query.overwrite or not self.world.differing else "another file is there; --overwrite replaces it"
        )
        frames = [FrameFile(f, f"{f}.parquet", 264_000_000, "parquet", "downloaded", "q5DsXA==", 1) for f in FRAMES]
        if differs:
            frames[0] = replace(frames[0], outcome="failed", crc32c="", why=differs)
        return GroupDownload("rp006", query.group, query.layer, f"/data/{query.group}", tuple(frames), 2_110_000_000)

    def delete_groups(self, names: Sequence[str], backup: Any = None) -> Any:
        self.world.ask(f"delete {' '.join(names)} {backup or ''}".strip())
        return self.rebuild()

    def flush(self, backup: Any = None) -> Any:
        self.world.ask("flush")
        return self.rebuild()

    def login_methods(self) -> tuple[str, str]:
        return self.world.login_method, "Vault at http://127.0.0.1:8200"

    def log_in(self, user: str, secret: Secret) -> Any:
        self.world.ask("log_in")
        self.world.logins.append((user, secret))
        if secret.reveal() != "correct horse":
            raise NotAllowed("Vault at http://127.0.0.1:8200 says no.", hint="Is the password right?")
        self.world.token_ttl = 28800
        return SimpleNamespace(status=SimpleNamespace(ttl_seconds=28800, display_name="anna"), note="")

    def why(self, asked: Any) -> Iterator[Finding]:
        self.world.ask(f"why {asked.pert}/{asked.group}/{asked.who}{'/True' if asked.map else ''}")
        for name in self.why_names(asked):
            if f"why {name}" in self.world.hanging:
                self.world.ask(f"why {name}")
            yield self.world.diagnosis.get(name) or well(name)

    def mend(self, name: str, given: Any) -> Any:
        return self.rebuild()

    def rebuild(self) -> Any:
        if self.world.action is None:
            self.world.action = Rebuild(self.world.environment)
        return self.world.action

    def group_events(self, count: int) -> Iterator[Any]:
        """Those of the world, and what is added to them while somebody listens."""
        self.world.ask("group_events")
        shown = 0
        while not self.world.release.wait(0.01):
            new, shown = self.world.group_events[shown:], len(self.world.group_events)
            yield from new
            yield None

    def operations(self) -> list[Any]:
        self.world.ask("operations")
        return self.world.operations or super().operations()

    def unfinished(self) -> list[Any]:
        self.world.ask("unfinished")
        return [item for item in self.world.operations if item.result == "interrupted"]


def _job_pod(job: Job, number: int) -> Pod:
    failed = job.state == "failed"
    part = Container("cache-manager", False, "terminated", 0, "Error" if failed else "Completed", "", "", job.image)
    return Pod(
        job.cluster, job.namespace, f"{job.name}-x7k{number}p", f"pod-{number}", job.started, job.started,
        "Failed" if failed else "Succeeded", ("cache-manager",), (job.image,), 0, 0, "gke-batch-1",
        "Error" if failed else "Completed", "", int(failed), False, job.name, (part,),
    )  # fmt: skip


def _app_pod(name: str, reason: str) -> Pod:
    image, began = "europe-docker.example/phenoapp/dash-phenoapp:v2.118.0", NOW - timedelta(days=2, hours=20)
    restarts = 7 if reason else 0
    state, before = ("waiting", "OOMKilled") if reason else ("running", "")
    part = Container("app", False, state, restarts, reason, "", before, image)
    return Pod(
        "rp006-prod", "phenoapp", name, f"uid-{name}", began, began, "Running", ("app",), (image,), int(not reason),
        restarts, "gke-serving-1", reason, f"back-off restarting failed container=app pod={name}" if reason else "",
        None, False, name.rpartition("-")[0], (part,),
    )  # fmt: skip


def _held(frames: int) -> Presence:
    return Presence(frames > 0, frames, frames * 264_000_000, 8)


class Rebuild:
    """An action as the real one is: it starts a run, and follows its log until it ends.

    `go` lets it end; `moved` makes every plan differ from the one before; `fails` lets it end badly.
    """

    name = "cache rebuild"

    def __init__(self, of: model.Environment) -> None:
        self.environment = of
        self.go = threading.Event()
        self.go.set()
        self.moved = False
        self.fails = False
        self.lines = 30
        self.applied = 0
        self.plans = 0

    def plan(self) -> Plan:
        self.plans += 1
        manager = self.environment.cache_manager
        return Plan(
            action=self.name,
            environment=self.environment.name,
            title=f"Start {manager.cronjob} now",
            where=f"cluster {manager.cluster}, namespace {manager.namespace}",
            changes=(
                Change("create", f"Job {manager.cronjob}-manual-x7k2p9", 1, "job"),
                Change("replace", "the groups in Redis", 3, "groups", 6_400_000_000),
            ),
            damage=Damage.LARGE,
            confirm=manager.cluster,
            undo="none: the groups are built anew; the old ones stay in L3",
            by_hand=(
                f"kubectl --context {manager.cluster} -n {manager.namespace} create job "
                f"{manager.cronjob}-manual-x7k2p9 --from=cronjob/{manager.cronjob}",
            ),
            preconditions=(("moved", str(self.plans)),) if self.moved else (),
            facts=(
                Fact("cluster", f"{manager.cluster} at https://10.0.0.2, kube-system 5f3c, known since 2025-11-02"),
                Fact("also in", "no other configured cluster"),
                Fact("last runs", "✓ 57m  ✓ 58m  ✗ 4m  ✓ 59m  ✓ 60m"),
                Fact("running", "none"),
                Fact("image", "2025.11.3, eng-infrastructure says 2025.11.4", Status.WARN),
                Fact("next run", "Thu 2025-11-27 18:00 MST, Fri 2025-11-28 01:00 UTC"),
                Fact("allowed", "you may create jobs there"),
            ),
        )

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        permit.check()
        self.applied += 1
        progress.step("Created the Job")
        progress.step("Waiting for its pod")
        for number in range(self.lines):
            progress.line(
                "cache-manager", f"2025-11-20 01:00:{number:02d} INFO Wrote frame {number} of a group to Redis"
            )
        progress.advance("frames", 12, 40, "frames")
        while not self.go.wait(0.01):
            try:
                progress.check_stop()
            except Interrupted:
                return Outcome(Result.PARTIAL, "Stopped watching; the Job runs on.", undo=("kubectl delete job x",))
        if self.fails:
            return Outcome(Result.FAILED, "The Job failed: BackoffLimitExceeded.")
        return Outcome(Result.DONE, "The Job completed after 3 s.", undo=("toolkit groups restore --from x",))

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:
        return (
            Finding("groups in L2", Status.OK, "3 of 3 groups, 24 frames"),
            Finding("pods hold the old L1", Status.WARN, "4 pods started before the rebuild", hint="Restart them."),
        )


class Connections:
    """In the place of the real ones."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.environment = world.environment
        self.settings = model.Settings(clusters={name: model.Cluster(context=name) for name in CLUSTERS})

    def close(self) -> None:
        self.world.closed = True


class StandInOpener:
    """Three environments: a protected real one, a sandbox, and one that is hardly configured."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.opened: list[str] = []

    def choices(self) -> Sequence[Choice]:
        self.world.ask("choices")
        return (
            Choice("mapapp", "MapApp", protected=True, cache_manager="principal", missing=("vault.address",)),
            Choice("rp006", "RP006 (Roche: neuro, GI-onc)", protected=True, cache_manager="prod-cluster"),
            Choice("sandbox", "RP006 in small", kind="sandbox", cache_manager="prod-cluster"),
            Choice("watched", "RP006, to look at only", read_only=True, cache_manager="prod-cluster"),
        )

    def preferences(self) -> Tui:
        self.world.ask("preferences")
        return self.world.preferences

    def stage(self, narrate: Callable[[str], None]) -> Any:
        self.world.stage.narrate = narrate
        return self.world.stage

    def open(self, name: str) -> Any:
        self.opened.append(name)
        self.world.ask("open")
        if name == "mapapp":
            raise NotFound("Nothing is known of mapapp yet.", hint="`toolkit config check` lists what is missing.")
        kind = "sandbox" if name == "sandbox" else "real"
        title = {choice.name: choice.title for choice in self.choices()}[name]
        self.world.environment = replace_struct(self.world.environment, name=name, kind=kind, title=title)
        return Connections(self.world)


def finding(name: str, status: Status, summary: str, hint: str = "") -> Finding:
    return replace(Finding(name, status, summary, hint=hint, seconds=0.3), by_hand=(f"look --at {name}",))
