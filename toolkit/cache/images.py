"""Is the cache manager's image the one that eng-infrastructure asks for?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from toolkit.errors import ConfigurationError, ToolkitError
from toolkit.systems.cluster.objects import CronJob
from toolkit.systems.connections import Connections
from toolkit.systems.infra_repo import WantedImage


class Match(StrEnum):
    """same, drifted, unknown (eng-infrastructure could not be read), unset (it is not configured)."""

    SAME = "same"
    DRIFTED = "drifted"
    UNKNOWN = "unknown"
    UNSET = "unset"


@dataclass(frozen=True)
class ImageState:
    """What runs, what should (None: not known), and how they compare, as one line."""

    match: Match
    running: tuple[str, ...]
    wanted: WantedImage | None
    summary: str
    hint: str = ""
    by_hand: tuple[str, ...] = ()


def compare_image(connections: Connections, cronjob: CronJob) -> ImageState:
    """The CronJob's images against eng-infrastructure's. Never raises: what cannot be read is unknown."""
    part, running = connections.environment.infra_repo, cronjob.images
    tags = ", ".join(short(image) for image in running) or "no image"
    if not part.remote or not part.path:
        empty = "remote" if not part.remote else "path"
        return ImageState(Match.UNSET, running, None, f"{tags}; not compared: infra_repo.{empty} is not configured")
    repository = connections.infra_repo
    try:
        wanted = repository.wanted_image(cronjob.name)
    except ToolkitError as error:
        match = Match.UNSET if isinstance(error, ConfigurationError) and "is empty" in error.message else Match.UNKNOWN
        return ImageState(match, running, None, f"{tags}; not compared: {error.message}", error.hint, error.by_hand)
    note = f" ({wanted.note})" if wanted.note else ""
    by_hand = (repository.by_hand,)
    if set(wanted.images) == set(running):
        summary = f"{tags}, as eng-infrastructure says ({wanted.branch} {wanted.commit[:9]}){note}"
        return ImageState(Match.SAME, running, wanted, summary, by_hand=by_hand)
    asked = ", ".join(short(image) for image in wanted.images)
    return ImageState(
        Match.DRIFTED,
        running,
        wanted,
        f"{tags}, but eng-infrastructure asks for {asked} "
        f"(since {wanted.committed_at:%Y-%m-%d}, {wanted.branch} {wanted.commit[:9]}){note}",
        hint="Has Argo CD synced the cache manager's application? A rebuild now runs the image that is there.",
        by_hand=by_hand,
    )


def short(image: str) -> str:
    """An image without its registry's host: `phenoapp/cache-manager:v3.41.2`."""
    host, slash, rest = image.partition("/")
    return rest if slash and ("." in host or ":" in host or host == "localhost") else image
