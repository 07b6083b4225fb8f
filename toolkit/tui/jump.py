"""What one can jump to, and which of it is meant by a few typed letters.

Every source is asked by itself, in a thread; what it gives is ranked with what the others gave so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.tui.registry import PAGES, act

if TYPE_CHECKING:
    from toolkit.tui.core import Core

SHOWN = 50
_LEAST = 72.0  # of 100: how alike a name has to be where it does not hold what was typed
_CHUNK = 4000  # names compared in one go: the keys must not wait for a long list


@dataclass(frozen=True, slots=True)
class Target:
    """Something to go to: `name` is its key on the page that shows it."""

    kind: str
    name: str
    detail: str = ""
    folded: str = field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded", self.name.lower())


@dataclass(frozen=True)
class Source:
    """Where targets come from. `pages`: the first of these that the app has shows them; none: a page of their own."""

    name: str
    ask: Callable[[Core], Iterable[Target]]
    pages: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        return next((page for page in self.pages if page in PAGES), "")


def _pages(_core: Core) -> Iterable[Target]:
    return [Target("page", page, act(f"app.{page}").help) for page in PAGES]


def _groups(core: Core) -> Iterable[Target]:
    for group in core.overview().groups:
        yield Target("group", group.name, f"number {group.rank}" if group.rank is not None else "not in the index")


def _folders(core: Core) -> Iterable[Target]:
    prefix = core.connections.environment.bucket.prefix.strip("/")
    return [Target("folder", folder.path) for folder in core.folder(f"{prefix}/" if prefix else "").folders]


def _jobs(core: Core) -> Iterable[Target]:
    return [Target("job", job.name, job.state) for job in core.cache_manager().jobs]


def _pods(core: Core) -> Iterable[Target]:
    return [Target("pod", pod.name, f"{pod.phase} in {pod.cluster} / {pod.namespace}") for pod in core.pods()]


def _runbooks(core: Core) -> Iterable[Target]:
    return [Target("runbook", name, title) for name, title in core.runbooks()]


def _perts(core: Core) -> Iterable[Target]:
    group, names = core.pert_names()
    return [Target("pert", name, f"in {group}") for name in names]


SOURCES = (
    Source("pages", _pages),
    Source("groups", _groups, ("groups",)),
    Source("folders", _folders, ("bucket",)),
    Source("jobs", _jobs, ("jobs",)),
    Source("pods", _pods, ("jobs",)),
    Source("runbooks", _runbooks, ("runbooks",)),
    Source("perts", _perts),
)


def source_of(target: Target) -> Source:
    """The source that a target came from."""
    return next(source for source in SOURCES if source.name == f"{target.kind}s")


def ranked(typed: str, found: Sequence[Sequence[Target]], limit: int = SHOWN) -> list[Target]:
    """The targets that `typed` may mean, the likeliest first; without anything typed the first of each source."""
    words = typed.lower().split()
    if not words:
        return [target for targets in found for target in targets[: max(limit // 8, 5)]][:limit]
    query = " ".join(words)
    scored: list[tuple[float, int, Target]] = []
    for place, targets in enumerate(found):
        scored += [(score, place, t) for t in targets if (score := _holds(query, words, t)) > 0]
    if len(scored) < limit // 2:
        known = {id(target) for _, _, target in scored}
        for place, targets in enumerate(found):
            scored += [(s, place, t) for s, t in _alike(query, targets) if id(t) not in known]
    scored.sort(key=lambda item: (-item[0], item[1], len(item[2].name), item[2].name))
    return [target for _, _, target in scored[:limit]]


def _holds(query: str, words: Sequence[str], target: Target) -> float:
    """How well a name holds what was typed; 0: not all of it."""
    name = target.folded
    if name == query:
        return 200
    if name.startswith(query):
        return 160
    if query in name:
        return 140
    return 120 if all(word in name or word == target.kind for word in words) else 0


def _alike(query: str, targets: Sequence[Target]) -> Iterable[tuple[float, Target]]:
    from rapidfuzz import fuzz, process

    for start in range(0, len(targets), _CHUNK):
        chunk = targets[start : start + _CHUNK]
        names = [target.folded for target in chunk]
        for _, score, at in process.extract(query, names, scorer=fuzz.WRatio, limit=10, score_cutoff=_LEAST):
            yield score, chunk[at]
