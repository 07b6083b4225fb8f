"""Are two places' images the same? The comparison that `image check`, `why` and the rebuild's plan go by.

What each place says is gathered in image_places.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


@dataclass(frozen=True, slots=True)
class Image:
    """An image's name taken apart: `registry.example/phenoapp/cache-manager:v3.41.2@sha256:…`."""

    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, name: str, digest: str = "") -> Image:
        """`digest` is what is known of it from elsewhere, where its name says none."""
        rest, _, named = name.partition("@")
        path, slash, last = rest.rpartition("/")
        last, colon, tag = last.partition(":")
        repository = f"{path}{slash}{last}".removeprefix("docker.io/").removeprefix("library/")
        return cls(repository, tag if colon else ("" if named else "latest"), named or digest)

    def same_as(self, other: Image) -> bool:
        """Digests decide where both are known: a tag can be moved to another image."""
        if self.repository != other.repository:
            return False
        return self.digest == other.digest if self.digest and other.digest else self.tag == other.tag


def agree(wanted: Iterable[Image], there: Sequence[Image], *, more: bool = False) -> bool:
    """Whether `there` has each wanted image, and no other; `more`: others may be there too (injected sidecars)."""
    asked = list(wanted)
    if not all(any(one.same_as(other) for other in there) for one in asked):
        return False
    return more or all(any(one.same_as(other) for one in asked) for other in there)


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
    running = cronjob.images
    tags = ", ".join(short(image) for image in running) or "no image"
    empty = unset_key(connections)
    if empty:
        return ImageState(Match.UNSET, running, None, f"{tags}; not compared: {empty} is not configured")
    repository = connections.infra_repo
    try:
        wanted = repository.wanted_image(cronjob.name)
    except ToolkitError as error:
        match = Match.UNSET if isinstance(error, ConfigurationError) and "is empty" in error.message else Match.UNKNOWN
        return ImageState(match, running, None, f"{tags}; not compared: {error.message}", error.hint, error.by_hand)
    note = f" ({wanted.note})" if wanted.note else ""
    by_hand = (repository.by_hand,)
    if agree(map(Image.parse, wanted.images), [Image.parse(one) for one in running]):
        summary = f"{tags}, as eng-infrastructure says ({wanted.branch} {wanted.commit[:9]}){note}"
        return ImageState(Match.SAME, running, wanted, summary, by_hand=by_hand)
    asked = ", ".join(short(image) for image in wanted.images)
    return ImageState(
        Match.DRIFTED,
        running,
        wanted,
        f"{tags}, but eng-infrastructure asks for {asked} "
        f"(since {wanted.committed_at:%Y-%m-%d}, {wanted.branch} {wanted.commit[:9]}){note}",
        hint="Has Argo CD synced the cache manager's application? A rebuild now runs the image that is there. "
        "`toolkit image check` compares all places.",
        by_hand=by_hand,
    )


def unset_key(connections: Connections) -> str:
    """The key of eng-infrastructure that is not configured; "" where all are."""
    part = connections.environment.infra_repo
    return "" if part.remote and part.path else f"infra_repo.{'remote' if not part.remote else 'path'}"


def short(image: str) -> str:
    """An image without its registry's host: `phenoapp/cache-manager:v3.41.2`."""
    host, slash, rest = image.partition("/")
    return rest if slash and ("." in host or ":" in host or host == "localhost") else image
