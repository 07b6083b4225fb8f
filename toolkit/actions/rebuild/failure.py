"""What to say of a run that failed: the traceback's last line, and where to read on by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.objects import Job

_SPEAKS_OF_FAILURE: Final = re.compile(r"\b(error|fatal|critical|exception|failed|killed)\b", re.IGNORECASE)
_LONGEST: Final = 300


def last_words(lines: Sequence[str]) -> str:
    """The line that says most about why it failed: the last traceback's exception, else the last line that speaks of
    an error, else the last line; "" of an empty log."""
    from toolkit.logs.tracebacks import last_exception

    found = last_exception(lines)
    if found:
        return found[:_LONGEST]
    for line in reversed(lines):
        if _SPEAKS_OF_FAILURE.search(line):
            return line.strip()[:_LONGEST]
    return next((line.strip()[:_LONGEST] for line in reversed(lines) if line.strip()), "")


def read_on(cluster: Cluster, job: Job, project: str) -> tuple[str, ...]:
    """How to read the run's log by hand: kubectl, and the query for the GCP Logs Explorer."""
    selector = f"job-name={job.name}"
    return (
        cluster.kubectl("describe", "job", job.name, namespace=job.namespace),
        cluster.kubectl(
            "logs", "-l", selector, "--all-containers", "--tail=-1", "--timestamps", namespace=job.namespace
        ),
        f"Logs Explorer{f' (project {project})' if project else ''}: {logs_explorer_query(job)}",
    )


def logs_explorer_query(job: Job) -> str:
    """The query for Cloud Logging's Logs Explorer, on one line. GKE writes pods' labels as `k8s-pod/…`."""
    parts = [
        'resource.type="k8s_container"',
        f'resource.labels.namespace_name="{job.namespace}"',
        f'labels."k8s-pod/job-name"="{job.name}"',
    ]
    begun = job.started or job.created
    if begun is not None:
        parts.append(f'timestamp>="{_stamp(begun)}"')
    if job.finished is not None:
        parts.append(f'timestamp<="{_stamp(job.finished)}"')
    return " AND ".join(parts)


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
