"""From the words of `toolkit logs` to sources: workloads, kept queries, queries as typed, files, what is piped in."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from toolkit.errors import ConfigurationError, NotFound, UsageError
from toolkit.logs.source import Source, Window
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.environments import model
    from toolkit.logs.files import OwnTime
    from toolkit.logs.regions import Needle
    from toolkit.logs.workloads import Workload
    from toolkit.systems.cluster.objects import Job
    from toolkit.systems.connections import Connections

CACHE_MANAGER, APP, JOURNAL, STDIN = "cache-manager", "app", "journal", "-"
_ERRORS: Final = "errors"  # the kept query that is asked beside the last rebuild's pods
_SECOND: Final = 10**9
_AROUND: Final = 10 * 60 * _SECOND  # nanoseconds before and after a rebuild that belong to it
_HOUR: Final = 3600 * _SECOND
_ENDINGS: Final = (".log", ".txt", ".json", ".jsonl", ".gz", ".zst")  # of files, whether they are there or not
_FORMS: Final = (
    "cache-manager, app, a kept query's name (`toolkit logs --queries`), pod:CLUSTER/NAMESPACE/NAME, "
    "pods:CLUSTER/NAMESPACE/LABELS, loki:LOGQL, cloud:FILTER, journal, a file, or - for what is piped in"
)


@dataclass(frozen=True)
class Links:
    """Where the same query can be seen in a browser: `loki` in LogQL, or `cloud` in Cloud Logging's language."""

    name: str
    loki: str = ""
    cloud: str = ""


@dataclass
class Asked:
    """What to read. `rebuild`: the last rebuild is what is asked about; `remote`: anything but files is; `stdin`: what
    is piped in is among it."""

    sources: list[Source] = field(default_factory=list)
    links: list[Links] = field(default_factory=list)
    rebuild: bool = False
    remote: bool = False
    stdin: bool = False


@dataclass(frozen=True)
class Files:
    """How files are read: see FileSource."""

    own_time: OwnTime | None = None
    needle: Needle | None = None
    tail: int | None = None


def kept(name: str, connections: Connections) -> Source | None:
    """The source of a kept query; None where there is none of that name, or its system is not configured."""
    if not _usable(connections.environment.logs, name):
        return None
    found = Asked()
    _add_query(found, name, connections)
    return found.sources[0]


def local(words: Sequence[str]) -> bool:
    """Whether all that is asked for is here on this machine: then no environment is needed."""
    return bool(words) and all(word == STDIN or _is_file(word) for word in words)


def asked(words: Sequence[str], open_: Callable[[], Connections], files: Files, *, previous: bool = False) -> Asked:
    """The sources that `words` mean; without any, the last rebuild's pods and the errors around it.

    `open_` gives the environment's systems, and is called only where a word needs them. Raises UsageError for a word
    that means nothing, NotFound for a file that is not there, ConfigurationError for a system that is not set.
    """
    found = Asked()
    for word in words or (CACHE_MANAGER,):
        if word == STDIN:
            _add_stdin(found, files)
        elif _is_file(word):
            _add_file(found, word, files)
        else:
            _add_remote(found, word, open_(), previous=previous)
    if not words:
        connections = open_()
        if _usable(connections.environment.logs, _ERRORS):
            _add_query(found, _ERRORS, connections)
    return found


def usual_window(found: Asked, connections: Connections | None, now: int) -> tuple[Window, str]:
    """The window that is meant where nobody typed one, and a note that says so; files are meant whole."""
    if not found.remote or connections is None:
        return Window(), ""
    if found.rebuild:
        job = last_rebuild(connections)
        begun = None if job is None else job.started or job.created
        if job is not None and begun is not None:
            until = None if job.finished is None else _nanoseconds(job.finished) + _AROUND
            state = "is going on" if job.finished is None else f"ended {job.finished:%Y-%m-%d %H:%M}Z"
            note = f"the last rebuild: {job.name}, begun {begun.astimezone(UTC):%Y-%m-%d %H:%M}Z, {state}"
            return Window(_nanoseconds(begun) - _AROUND // 10, until), note
    return Window(now - _HOUR), "the last hour (--since tells otherwise)"


def last_rebuild(connections: Connections) -> Job | None:
    """The cache manager's newest run that its cluster knows; None where there is none. Raises what its cluster does."""
    part = connections.environment.cache_manager
    if not (part.cluster and part.cronjob):
        return None
    cluster = connections.cluster(part.cluster)
    cronjob = cluster.cronjob(part.namespace, part.cronjob)
    jobs = [] if cronjob is None else cluster.jobs_of(cronjob)
    return next((job for job in jobs if job.started or job.created), None)


def began(connections: Connections) -> int | None:
    """When the last rebuild began, in nanoseconds since the epoch."""
    job = last_rebuild(connections)
    at = None if job is None else job.started or job.created
    return None if at is None else _nanoseconds(at)


def _add_stdin(found: Asked, files: Files) -> None:
    from toolkit.logs.files import StdinSource

    found.stdin = True
    found.sources.append(StdinSource(own_time=files.own_time) if files.own_time else StdinSource())


def _add_file(found: Asked, word: str, files: Files) -> None:
    from toolkit.logs.files import FileSource

    path = Path(word.removeprefix("file:")).expanduser()
    more = {"own_time": files.own_time} if files.own_time else {}
    found.sources.append(FileSource(path, needle=files.needle, tail=files.tail, **more))


def _add_remote(found: Asked, word: str, connections: Connections, *, previous: bool) -> None:
    logs = connections.environment.logs
    if word == JOURNAL:
        found.remote = True  # its marks stand between the lines of whatever is remote
        return
    workload = _workload(word, connections)
    if workload is not None:
        from toolkit.logs.pods import PodsSource

        found.remote = True
        found.rebuild |= word == CACHE_MANAGER
        found.sources.append(PodsSource(workload, previous=previous))
        if _usable(logs, word):  # pods that are gone by now have left their lines there
            _add_query(found, word, connections)
    elif word in logs.queries:
        _add_query(found, word, connections)
    elif word.startswith(("loki:", "cloud:")):
        kind, _, query = word.partition(":")
        _add_typed(found, "loki" if kind == "loki" else "cloud-logging", query.strip(), kind, connections)
    else:
        raise _unknown(word, (*logs.queries, CACHE_MANAGER, APP, JOURNAL))


def _workload(word: str, connections: Connections) -> Workload | None:
    from toolkit.logs import workloads

    if word == CACHE_MANAGER:
        return workloads.cache_manager(connections)
    if word == APP:
        return workloads.app(connections)
    kind, _, place = word.partition(":")
    if kind not in ("pod", "pods"):
        return None
    parts = place.split("/", 2)
    if len(parts) != 3 or not all(parts):
        what = "NAME" if kind == "pod" else "LABELS"
        raise UsageError(f"{shown(word)}: write {kind}:CLUSTER/NAMESPACE/{what}.")
    cluster = connections.cluster(parts[0])
    return (workloads.one_pod if kind == "pod" else workloads.selected)(cluster, parts[1], parts[2])


def _usable(logs: model.Logs, name: str) -> bool:
    query = logs.queries.get(name)
    return query is not None and bool(logs.loki.address if query.source == "loki" else logs.cloud_logging.project)


def _add_query(found: Asked, name: str, connections: Connections) -> None:
    query = connections.environment.logs.queries[name]
    _add_typed(found, query.source, query.query, name, connections)


def _add_typed(found: Asked, source: str, query: str, name: str, connections: Connections) -> None:
    logs, where = connections.environment.logs, connections.environment.name
    found.remote = True
    if source == "loki":
        if not logs.loki.address:
            raise ConfigurationError(f"environments.{where}.logs.loki.address is empty: there is no Loki to ask.")
        if not query:
            raise UsageError(
                "loki: needs a query.", hint="For example: toolkit logs 'loki:{namespace=\"rp006-neuro\"}'"
            )
        from toolkit.logs.loki import LokiSource

        found.sources.append(LokiSource(connections.loki, query, name=f"loki {name}"))
        found.links.append(Links(name, loki=query))
        return
    if not logs.cloud_logging.project:
        raise ConfigurationError(f"environments.{where}.logs.cloud_logging.project is empty: there are no logs to ask.")
    from toolkit.logs.cloud_logging import CloudLoggingSource

    found.sources.append(CloudLoggingSource(connections.cloud_logging, query, name=f"cloud-logging {name}"))
    found.links.append(Links(name, cloud=query))


def _is_file(word: str) -> bool:
    if word.startswith("file:"):
        return True
    if word.startswith(("loki:", "cloud:", "pod:", "pods:")):
        return False
    return "/" in word or word.lower().endswith(_ENDINGS) or Path(word).expanduser().exists()


def _unknown(word: str, known: Sequence[str]) -> UsageError | NotFound:
    if "." in word:
        return NotFound(
            f"There is no file {shown(word)}, and no kept query of that name.", hint=f"A source is {_FORMS}."
        )
    near = difflib.get_close_matches(word, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"A source is {_FORMS}."
    return UsageError(f"{shown(word)!r} is no source of logs.", hint=hint)


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * _SECOND
