"""Where the cache manager's image is named, and what each place says: eng-infrastructure's trunk, Argo CD's
application, the CronJob, and the pods of the last run. A place that cannot be asked says why; the others stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeVar

from toolkit.cache import rebuilds
from toolkit.cache.image_rows import (
    ARGOCD,
    CRONJOB,
    LAST_RUN,
    Row,
    argocd_row,
    argocd_set,
    cronjob_row,
    last_run_row,
    trunk_row,
)
from toolkit.cache.images import Match, agree, short, unset_key
from toolkit.errors import ExitCode, ToolkitError
from toolkit.systems.argocd import Application
from toolkit.systems.cluster.objects import CronJob, Job, Pod
from toolkit.systems.connections import Connections
from toolkit.systems.infra_history import Change, ImageHistory
from toolkit.systems.infra_repo import WantedImage

T = TypeVar("T")
_RUNS: Final = 5  # whose pods are looked at


@dataclass(frozen=True)
class PodImage:
    """A container of a pod of the cache manager, and what it really ran: `digest` is "" where its node did not say."""

    pod: str
    job: str
    started: datetime | None
    image: str
    digest: str


@dataclass(frozen=True)
class Places:
    """All places, in the order in which an image gets from one to the next. The first that is known is what the others
    are compared with: `against`. `between` are the commits to the manifest that the CronJob does not have yet, the
    newest first; None: not known. `sync_by_hand` and `link` are "" where Argo CD is not configured."""

    rows: tuple[Row, ...]
    against: str
    between: tuple[Change, ...] | None = None
    application: Application | None = None
    pods: tuple[PodImage, ...] = ()
    notes: tuple[str, ...] = ()
    sync_by_hand: str = ""
    link: str = ""

    def row(self, place: str) -> Row:
        return next(row for row in self.rows if row.place == place)

    @property
    def differ(self) -> bool:
        return any(row.match is Match.DRIFTED for row in self.rows)

    @property
    def deployed_differs(self) -> bool:
        """Whether what is deployed is another image than what is asked for; an older run is no such thing."""
        return any(self.row(place).match is Match.DRIFTED for place in (ARGOCD, CRONJOB))

    @property
    def exit_code(self) -> ExitCode:
        if self.differ:
            return ExitCode.FOUND_WRONG
        return next((row.exit_code for row in self.rows if row.exit_code), ExitCode.OK)


def look(connections: Connections, asking: rebuilds.Asking = rebuilds.ANEW) -> Places:
    """Asks all places, side by side. Raises ConfigurationError where no cache manager is configured."""
    name = rebuilds.part_of(connections).cronjob
    with ThreadPoolExecutor(max_workers=3, thread_name_prefix="images") as pool:
        application = pool.submit(_asked, lambda: connections.argocd.application())
        wanted = pool.submit(_asked, lambda: _wanted(connections, name))
        cronjob = _asked(lambda: asking.locate(connections).cronjob)
        runs = _asked(lambda: _runs(connections, cronjob, asking)) if isinstance(cronjob, CronJob) else None
        return _together(connections, wanted.result(), application.result(), cronjob, runs)


def _asked(ask: Callable[[], T]) -> T | ToolkitError:
    try:
        return ask()
    except ToolkitError as error:
        return error


def _wanted(connections: Connections, name: str) -> WantedImage | None:
    return None if unset_key(connections) else connections.infra_repo.wanted_image(name)


def _runs(connections: Connections, cronjob: CronJob, asking: rebuilds.Asking) -> list[tuple[Job, list[Pod]]]:
    """The last runs that have begun, the newest first, with the pods that are left of them."""
    cluster = connections.cluster(cronjob.cluster)
    jobs = [job for job in asking.runs_of(connections, cronjob) if job.started][:_RUNS]
    return [(job, cluster.pods(job.namespace, f"job-name={job.name}")) for job in jobs]


def _together(
    connections: Connections,
    wanted: WantedImage | ToolkitError | None,
    application: Application | ToolkitError,
    cronjob: CronJob | ToolkitError,
    runs: list[tuple[Job, list[Pod]]] | ToolkitError | None,
) -> Places:
    notes = [wanted.note] if isinstance(wanted, WantedImage) and wanted.note else []
    running = cronjob.images if isinstance(cronjob, CronJob) else ()
    history: ImageHistory | None = None
    if isinstance(wanted, WantedImage):
        name = rebuilds.part_of(connections).cronjob
        found = _asked(lambda: connections.infra_repo.history(name, running))
        if isinstance(found, ToolkitError):
            notes.append(f"the history of eng-infrastructure could not be read: {found.message}")
        else:
            history = found
    rows = [
        trunk_row(connections, wanted, history),
        argocd_row(connections, wanted, application, notes),
        cronjob_row(connections, cronjob),
        last_run_row(connections, cronjob, runs),
    ]
    against = next((row.place for row in rows if row.images and not row.loose), "")
    rows = [_with_commit(one, history) for one in _compared(rows, against)]
    rows = _with_since(rows)
    pods = _pods(runs)
    notes += _moved_tags(pods)
    between = _between(connections, history, rows, notes)
    argocd = _asked(lambda: connections.argocd) if argocd_set(connections) else None
    link = sync = ""
    if argocd is not None and not isinstance(argocd, ToolkitError):
        link = argocd.link(application.namespace if isinstance(application, Application) else "")
        sync = argocd.sync_by_hand
    known = application if isinstance(application, Application) else None
    return Places(tuple(rows), against, between, known, pods, tuple(notes), sync, link)


def _compared(rows: Sequence[Row], against: str) -> list[Row]:
    """Each row with how it compares with the one called `against`."""
    reference = next((row for row in rows if row.place == against), None)
    found = []
    for row in rows:
        if reference is None or not row.images:
            found.append(row)
            continue
        more = row.place in (ARGOCD, LAST_RUN)
        same = agree(reference.parsed, row.parsed, more=more)
        if row.loose and not same:
            problem = "the revision that it synced last is not known here, and none of its pods has this image"
            found.append(replace(row, problem=problem, hint="Its page says what it synced; a fetched clone knows too."))
        else:
            found.append(replace(row, match=Match.SAME if same else Match.DRIFTED))
    return found


def _with_commit(row: Row, history: ImageHistory | None) -> Row:
    setter = history.setter(row.images) if history and row.images and not row.commit else None
    return replace(row, commit=setter.commit) if setter else row


def _with_since(rows: list[Row]) -> list[Row]:
    """A CronJob does not say since when it has its image: Argo CD does, if it brought it."""
    trunk, argocd, cronjob, last = rows
    if cronjob.images and cronjob.images == argocd.images:
        cronjob = replace(cronjob, since=argocd.since)
    if last.match is Match.DRIFTED and cronjob.match is Match.SAME and last.since:
        before = f"the next run takes the CronJob's; this one began {last.since.astimezone(UTC):%Y-%m-%d %H:%M}Z"
        last = replace(last, detail=f"{last.detail}; {before}", hint="Rebuild, if the new image matters now.")
    return [trunk, argocd, cronjob, last]


def _pods(runs: list[tuple[Job, list[Pod]]] | ToolkitError | None) -> tuple[PodImage, ...]:
    if not isinstance(runs, list):
        return ()
    return tuple(
        PodImage(pod.name, job.name, pod.started or pod.created, part.image, part.digest)
        for job, pods in runs
        for pod in pods
        for part in pod.parts
        if part.begun and not part.init
    )


def _moved_tags(pods: Sequence[PodImage]) -> list[str]:
    """One name, several digests: somebody pushed another image under the same tag."""
    digests: dict[str, set[str]] = {}
    for pod in pods:
        if pod.digest:
            digests.setdefault(pod.image, set()).add(pod.digest)
    return [
        f"the last runs had {len(found)} different images under {short(image)}: its tag was moved"
        for image, found in digests.items()
        if len(found) > 1
    ]


def _between(
    connections: Connections, history: ImageHistory | None, rows: Sequence[Row], notes: list[str]
) -> tuple[Change, ...] | None:
    """The commits to the manifest between those that set the CronJob's image and trunk's."""
    trunk, _, cronjob, _ = rows
    if history is None or not cronjob.images:
        return None
    newer, older = history.setter(trunk.images), history.setter(cronjob.images)
    if cronjob.match is Match.SAME:
        return ()
    if older is None:
        reach = "its history" if history.whole else "its last commits"
        tags = ", ".join(short(image) for image in cronjob.images)
        notes.append(f"{tags} stands nowhere in {reach}: it was set by hand, or comes from another branch")
    if newer is None or older is None:
        return None
    found = _asked(lambda: connections.infra_repo.between(older, newer))
    return None if isinstance(found, ToolkitError) else found
