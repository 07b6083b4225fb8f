"""What each place says of the cache manager's image, as a row: known, or unknown with the reason and the next step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from toolkit.cache import rebuilds
from toolkit.cache.images import Image, Match, short, unset_key
from toolkit.errors import ExitCode, Failed, NotFound, ToolkitError
from toolkit.systems.argocd import Application
from toolkit.systems.cluster.objects import CronJob, Job, Pod
from toolkit.systems.connections import Connections
from toolkit.systems.infra_history import ImageHistory
from toolkit.systems.infra_repo import WantedImage

TRUNK: Final = "eng-infrastructure"
ARGOCD: Final = "Argo CD"
CRONJOB: Final = "CronJob"
LAST_RUN: Final = "last run"


@dataclass(frozen=True)
class Row:
    """What one place says. `since`: when it came to have these images (of a run: when it began). `commit` set them in
    eng-infrastructure, where that is known. `detail` is more on one line; `problem` why it is unknown, `hint` the next
    step, `exit_code` that of the problem. `loose`: the images of runs of long ago may be among them."""

    place: str
    where: str
    images: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    match: Match = Match.UNKNOWN
    since: datetime | None = None
    commit: str = ""
    detail: str = ""
    problem: str = ""
    hint: str = ""
    by_hand: tuple[str, ...] = ()
    exit_code: ExitCode = ExitCode.OK
    loose: bool = False

    @property
    def parsed(self) -> list[Image]:
        digests = self.digests if len(self.digests) == len(self.images) else ("",) * len(self.images)
        return [Image.parse(image, digest) for image, digest in zip(self.images, digests, strict=True)]


def trunk_row(connections: Connections, wanted: WantedImage | ToolkitError | None, history: ImageHistory | None) -> Row:
    part = connections.environment.infra_repo
    where = f"{part.branch}:{part.path}"
    if wanted is None:
        key = unset_key(connections)
        return Row(
            TRUNK,
            "-",
            match=Match.UNSET,
            problem=f"{key} is not configured",
            hint=f"Set {key}: `toolkit config check`.",
        )
    if isinstance(wanted, ToolkitError):
        return _unknown(TRUNK, where, wanted)
    setter = history.setter(wanted.images) if history else None
    commit, since = (setter.commit, setter.committed_at) if setter else (wanted.commit, wanted.committed_at)
    return Row(
        TRUNK,
        f"{wanted.branch}:{wanted.path}",
        wanted.images,
        since=since,
        commit=commit,
        detail=f"{setter.commit[:9]} {setter.subject}" if setter else f"{wanted.commit[:9]}, or before it",
        by_hand=(connections.infra_repo.by_hand,),
    )


def argocd_set(connections: Connections) -> bool:
    part = connections.environment.argocd
    return bool(part.address and part.application)


def argocd_row(
    connections: Connections,
    wanted: WantedImage | ToolkitError | None,
    application: Application | ToolkitError,
    notes: list[str],
) -> Row:
    """The image at the revision that was last synced, as git knows it; else those of the pods that Argo CD sees."""
    part = connections.environment.argocd
    if not argocd_set(connections):
        key = "argocd.address" if not part.address else "argocd.application"
        return Row(ARGOCD, "-", match=Match.UNSET, problem=f"{key} is not configured", hint=f"Set {key}.")
    if isinstance(application, ToolkitError):
        return _unknown(ARGOCD, part.application, application)
    images: tuple[str, ...] = ()
    told = [application.sync, application.health]
    if isinstance(wanted, (WantedImage, Failed, NotFound)):  # else there is no repository to look into
        name, path = rebuilds.part_of(connections).cronjob, connections.environment.infra_repo.path
        path = wanted.path if isinstance(wanted, WantedImage) else path
        repository = connections.infra_repo
        images = repository.images_at(application.deployed, name, path) if application.deployed else ()
        if application.revision and not repository.has(application.revision):
            notes.append(
                f"Argo CD has seen commit {application.revision[:9]}, which is not in the copy of eng-infrastructure "
                "that was compared: is the clone fetched?"
            )
    told.append(f"synced {application.deployed[:9]}" if application.deployed else "never synced")
    of_pods = not images
    if of_pods:
        mine = [Image.parse(one).repository for one in wanted.images] if isinstance(wanted, WantedImage) else []
        images = tuple(one for one in application.images if not mine or Image.parse(one).repository in mine)
        if images:
            told.append("images of all the pods that it sees")
    told.append("syncs by itself" if application.automated else "is synced by hand")
    row = Row(
        ARGOCD,
        application.name,
        images,
        since=application.deployed_at,
        detail=", ".join((*told, *application.problems)),
        loose=of_pods,
        by_hand=(connections.argocd.get_by_hand,),
    )
    if not images:
        nothing = "neither the revision that it synced last, nor an image of its pods is known"
        return replace(row, problem=nothing, hint="Look at the application's page, or fetch the clone.")
    return row


def cronjob_row(connections: Connections, cronjob: CronJob | ToolkitError) -> Row:
    part = connections.environment.cache_manager
    if isinstance(cronjob, ToolkitError):
        return _unknown(CRONJOB, f"{part.cluster}/{part.namespace}/{part.cronjob}", cronjob)
    by_hand = connections.cluster(cronjob.cluster).kubectl(
        "get", "cronjob", cronjob.name, "-o", "yaml", namespace=cronjob.namespace
    )
    where = f"{cronjob.cluster}/{cronjob.namespace}/{cronjob.name}"
    moved = "" if cronjob.cluster == part.cluster else f"not in {part.cluster}, where it is configured"
    detail = ", ".join(one for one in (moved, "suspended" if cronjob.suspended else "") if one)
    return Row(CRONJOB, where, cronjob.images, detail=detail, by_hand=(by_hand,))


def last_run_row(
    connections: Connections,
    cronjob: CronJob | ToolkitError,
    runs: list[tuple[Job, list[Pod]]] | ToolkitError | None,
) -> Row:
    if isinstance(cronjob, ToolkitError) or runs is None:
        return Row(LAST_RUN, "-", problem="not asked: it is looked for by its CronJob", hint="See the CronJob's row.")
    if isinstance(runs, ToolkitError):
        return _unknown(LAST_RUN, cronjob.namespace, runs)
    cluster = connections.cluster(cronjob.cluster)
    by_hand = (cluster.kubectl("get", "pods", "-o", "yaml", namespace=cronjob.namespace),)
    if not runs:
        return Row(
            LAST_RUN,
            "-",
            problem="the cluster knows no run",
            hint="The logs may say which image ran: toolkit logs cache-manager",
            by_hand=by_hand,
        )
    for number, (job, pods) in enumerate(runs):
        pod = next((one for one in pods if one.parts and any(part.begun and not part.init for part in one.parts)), None)
        if pod is None:
            continue
        parts = [part for part in pod.parts if not part.init]
        older = f", {number} run{'s' * (number > 1)} before the last, whose pod is gone" if number else ""
        return Row(
            LAST_RUN,
            pod.name,
            tuple(part.image for part in parts),
            tuple(part.digest for part in parts),
            since=pod.started or pod.created,
            detail=f"{job.state}{', by hand' if job.manual else ''}{older}",
            by_hand=by_hand,
        )
    job = runs[0][0]
    return Row(
        LAST_RUN,
        job.name,
        since=job.started,
        problem=f"no pod of the last {len(runs)} runs is left; the newest Job asked for {short(job.image) or '-'}",
        hint="Only a pod says what really ran. The logs may say it: toolkit logs cache-manager",
        by_hand=by_hand,
    )


def _unknown(place: str, where: str, error: ToolkitError) -> Row:
    return Row(place, where, problem=error.message, hint=error.hint, by_hand=error.by_hand, exit_code=error.exit_code)
