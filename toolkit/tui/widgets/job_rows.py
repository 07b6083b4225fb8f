"""The rows of the jobs page: a CronJob, a job, a pod, or a cluster that is down; each with sign, word and place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from toolkit.errors import ToolkitError
from toolkit.figures import age, duration
from toolkit.tui.widgets import runs
from toolkit.tui.widgets.problem import kind as kind_of_problem
from toolkit.tui.widgets.table import Column
from toolkit.tui.wording import counted, foreign, moment

if TYPE_CHECKING:
    from toolkit.cache.workloads import Look
    from toolkit.systems.cluster.objects import CronJob, Job, Pod

KINDS: Final = ("all", "cronjobs", "jobs", "pods", "trouble")
_STARTING: Final = frozenset({"ContainerCreating", "PodInitializing", ""})
_ORDER: Final = {"cluster": 0, "cronjob": 1, "job": 2, "pod": 3}
_TROUBLE: Final = frozenset("✗!?")


@dataclass(frozen=True)
class Row:
    """One row. `kind` is cronjob, job, pod or cluster; `stem` is the name of the CronJob it comes from, which the list
    leaves out; `old`: its cluster does not answer now, this is what it said before; `made_good`: a later run
    went well."""

    kind: str
    name: str
    cluster: str
    namespace: str
    look: Look
    cronjob: CronJob | None = None
    job: Job | None = None
    pod: Pod | None = None
    next_run: datetime | None = None
    last_run: Job | None = None
    problem: ToolkitError | None = None
    stem: str = ""
    old: bool = False
    made_good: bool = False

    @property
    def key(self) -> str:
        return "/".join((self.kind, self.cluster, self.namespace, self.name))

    @property
    def place(self) -> str:
        return f"{self.cluster}/{self.namespace}" if self.namespace else self.cluster

    @cached_property
    def state(self) -> tuple[str, str, str]:
        """Sign, word, and style."""
        if self.problem is not None:
            return "✗", "down" if kind_of_problem(self.problem) == "cannot be reached" else "not known", _BAD
        sign, word, style = self._state()
        return ("?", word, "$text-muted") if self.old else (sign, word, style)

    def _state(self) -> tuple[str, str, str]:
        if self.cronjob is not None:
            if self.cronjob.suspended:
                return "!", "suspended", _WARN
            going = self.last_run is not None and not self.last_run.over
            return ("●", "running", _GOING) if going or self.cronjob.active else ("○", "waiting", "$text-muted")
        if self.job is not None:
            return runs.SIGNS.get(self.job.state, "?"), self.job.state, runs.style(self.job)
        return pod_state(self.pod) if self.pod is not None else ("?", "unknown", _WARN)

    @property
    def trouble(self) -> bool:
        """Whether somebody should look: it is not well, and no later run has made it good."""
        return self.state[0] in _TROUBLE and not self.made_good

    @property
    def begun(self) -> datetime | None:
        """What the column `when` counts from: the next run of a CronJob, the start of the others."""
        if self.cronjob is not None:
            return None if self.cronjob.suspended else self.next_run
        if self.job is not None:
            return runs.begun(self.job)
        return (self.pod.started or self.pod.created) if self.pod is not None else None

    @property
    def figure(self) -> str:
        """What is counted of it: how long a job took, how often a pod was restarted."""
        if self.cronjob is not None:
            return self.cronjob.schedule
        if self.job is not None:
            return runs.took(self.job)
        if self.pod is not None and self.pod.restarts:
            return counted(self.pod.restarts, "restart")
        return "-" if self.problem is None else ""

    @property
    def how(self) -> str:
        if self.job is not None:
            return "by hand" if self.job.manual else "schedule" if self.stem else "-"
        return "-" if self.problem is None else ""

    @property
    def short(self) -> str:
        """Its name without its CronJob's: the end is what tells runs apart."""
        if self.problem is not None:
            return foreign(self.problem.message)
        name = foreign(self.name)
        return f"…{name.removeprefix(self.stem)}" if self.stem and name.startswith(f"{self.stem}-") else name

    @property
    def images(self) -> tuple[str, ...]:
        if self.job is not None:
            return (self.job.image,)
        return self.cronjob.images if self.cronjob is not None else self.pod.images if self.pod is not None else ()

    @property
    def searched(self) -> str:
        """What the filter looks in."""
        return " ".join((self.kind, self.name, self.place, *self.state[:2], self.how, *self.images)).lower()


_BAD, _WARN, _GOING = "bold $text-error", "bold $text-warning", "bold $text-success"

COLUMNS: list[Column[Row]] = [
    Column("state", lambda row: f"{row.state[0]} {row.state[1]}", lambda row: row.state[2]),
    Column("kind", lambda row: row.kind),
    Column("name", lambda row: row.short, lambda row: "$text-muted" if row.old else "", flexible=True),
    Column("when", lambda row: age(row.begun).removesuffix(" ago"), right=True),
    Column("took, restarts", lambda row: row.figure, right=True, roomy=True),
    Column("how", lambda row: row.how, roomy=True),
    Column("cluster", lambda row: foreign(row.cluster), lambda row: _place_style(row)),
    Column("namespace", lambda row: foreign(row.namespace)),
]


def in_full(row: Row) -> str:
    """A row as it is copied: names in full; of a cluster that is down, what is wrong and what can be done."""
    if row.problem is not None:
        return "\n".join((row.problem.message, row.problem.hint, *row.problem.by_hand))
    return "\t".join((" ".join(row.state[:2]), row.kind, row.name, row.figure, row.cluster, row.namespace))


def _place_style(row: Row) -> str:
    return "$text-muted" if row.old else _WARN if row.look.moved and row.cronjob is not None else "bold"


def pod_state(pod: Pod) -> tuple[str, str, str]:
    """A pod's state as sign, word and style; what keeps it from running goes before its phase."""
    reason = foreign(pod.reason)
    if pod.phase == "Succeeded":
        return "✓", "succeeded", "$text-success"
    if pod.phase == "Failed":
        return "✗", reason if reason not in ("", "Error") else "failed", _BAD
    if pod.terminating:
        return "○", "ending", "$text-muted"
    if pod.phase == "Running" and pod.ready >= len(pod.containers):
        return "●", "running", "$text-success"
    if reason not in _STARTING:
        return "✗", reason, _BAD
    if pod.phase == "Running":
        return "!", "not ready", _WARN
    return ("○", "pending", "$text-muted") if pod.phase == "Pending" else ("?", foreign(pod.phase).lower(), _WARN)


def rows_of(look: Look, *, old: bool = False) -> list[Row]:
    """The rows of one place."""
    place = look.place
    if look.problem is not None:
        return [Row("cluster", place.cluster, place.cluster, place.namespace, look, problem=look.problem)]
    stems: dict[str, str] = {}
    good: set[str] = set()
    here = partial(Row, cluster=place.cluster, namespace=place.namespace, look=look, old=old)
    rows = []
    for cronjob in look.cronjobs:
        mine = [job for job in look.jobs if job.owner_uid == cronjob.uid]
        stems |= {job.name: cronjob.name for job in mine}
        well = next((number for number, job in enumerate(mine) if job.state == "complete"), len(mine))
        good |= {job.name for job in mine[well:]}
        last = mine[0] if mine else None
        rows.append(here("cronjob", cronjob.name, cronjob=cronjob, next_run=_next_run(cronjob), last_run=last))
    for job in look.jobs:
        rows.append(here("job", job.name, job=job, stem=stems.get(job.name, ""), made_good=job.name in good))
    for pod in look.pods:
        rows.append(here("pod", pod.name, pod=pod, stem=stems.get(pod.owner, ""), made_good=pod.owner in good))
    return rows


def _next_run(cronjob: CronJob) -> datetime | None:
    from toolkit.cache.schedules import schedule_of

    try:
        return next(iter(schedule_of(cronjob).next), None)
    except ToolkitError:
        return None  # its details say why


def ordered(rows: Iterable[Row]) -> list[Row]:
    """What is down first, then CronJobs, jobs, pods; of each what is not over first, then the newest."""

    def place(row: Row) -> tuple[int, int, float, str]:
        over = row.job.over if row.job is not None else row.pod.over if row.pod is not None else False
        begun = row.begun if row.cronjob is None else None
        return _ORDER[row.kind], int(over), -begun.timestamp() if begun is not None else 0.0, row.key

    return sorted(rows, key=place)


def chosen(rows: Sequence[Row], kind: str, typed: str) -> list[Row]:
    """The rows of that kind with all the typed words in them; a cluster that is down always stands there."""
    words = typed.lower().split()

    def kept(row: Row) -> bool:
        if row.kind == "cluster":
            return True
        wanted = kind == "all" or (row.trouble if kind == "trouble" else f"{row.kind}s" == kind)
        return wanted and all(word in row.searched for word in words)

    return [row for row in rows if kept(row)]


def in_both_zones(at: datetime, zone: str) -> str:
    """A time in UTC and in `zone`, with how far it is."""
    return f"{moment(at)}, {moment(at, zone)}, {age(at)}"


def lasted(start: datetime | None, end: datetime | None) -> str:
    return duration((end - start).total_seconds()) if start is not None and end is not None else "-"
