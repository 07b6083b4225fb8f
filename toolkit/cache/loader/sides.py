"""The auto-loader's settings on both sides: configome's, which it runs by, and production's, on the trunk of
eng-infrastructure. A side that cannot be read says why; the other one stands.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolkit.cache.loader import settings
from toolkit.cache.loader.settings import LoaderSettings, Transformation
from toolkit.errors import ConfigurationError, ToolkitError

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections
    from toolkit.systems.infra_history import Change


@dataclass(frozen=True)
class Side:
    """What one side says; or `problem`. `place` is its file, for people; `commit` and `changed_at` the file's last
    change, where Git tells."""

    name: str
    place: str
    by_hand: str = ""
    settings: LoaderSettings | None = None
    problem: ToolkitError | None = None
    commit: str = ""
    changed_at: datetime | None = None
    note: str = ""

    @property
    def known(self) -> LoaderSettings:
        """The settings. Raises the problem where there are none."""
        if self.settings is None:
            raise self.problem or ConfigurationError(f"The settings of {self.name} are not known.")
        return self.settings


@dataclass(frozen=True)
class Sides:
    """Both sides. `configured`: the environment says where configome is."""

    configured: bool
    configome: Side
    production: Side


@dataclass(frozen=True, slots=True)
class Difference:
    """configome's list against production's: what it lacks, what it has more, and whether the rest stands in another
    order. `lines` are both lists, as a diff: `  ` in both, `- ` production's alone, `+ ` configome's alone."""

    lacking: tuple[Transformation, ...]
    more: tuple[Transformation, ...]
    reordered: bool
    lines: tuple[str, ...]

    @property
    def same(self) -> bool:
        return not (self.lacking or self.more or self.reordered)


def look(connections: Connections) -> Sides:
    """Reads both sides, side by side."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader") as pool:
        production = pool.submit(_production, connections)
        configome = _configome(connections)
        return Sides(bool(connections.environment.configome.remote), configome, production.result())


def difference(configome: LoaderSettings, production: LoaderSettings, new: str = "") -> Difference:
    """The lists compared by what groups they make. `new` names the one transformation that configome may have more."""
    own = [one for one in configome.transformations if not (new and one.name == new.lstrip("_"))]
    if new and new.lstrip("_") in production.names:
        own = list(configome.transformations)  # it is not new
    theirs = list(production.transformations)
    ours, others = [one.suffix for one in own], [one.suffix for one in theirs]
    both = [suffix for suffix in ours if suffix in others]
    return Difference(
        tuple(one for one in theirs if one.suffix not in ours),
        tuple(one for one in own if one.suffix not in others),
        both != [suffix for suffix in others if suffix in ours],
        tuple(_compared(others, ours)),
    )


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are of one API: case of the host, a default port and a last slash do not count."""
    return _address(one) == _address(other)


def since(connections: Connections, suffix: str) -> Change | None:
    """The commit since which trunk asks for the transformation of that suffix; None where it is not known."""
    part, key = connections.environment.loader.manifest, connections.environment.configome.key

    def lists(text: str) -> bool:
        try:
            return any(one.suffix == suffix for one in settings.read(text, key, part).transformations)
        except ToolkitError:
            return False

    try:
        return connections.infra_repo.since(part, lists)
    except ToolkitError:
        return None


def _compared(theirs: list[str], ours: list[str]) -> Iterator[str]:
    """Production's list becomes configome's; ndiff's lines that only point at letters are left out."""
    matcher = difflib.SequenceMatcher(a=theirs, b=ours, autojunk=False)
    for kind, begin, end, other_begin, other_end in matcher.get_opcodes():
        if kind == "equal":
            yield from (f"  {name}" for name in theirs[begin:end])
        else:
            yield from (f"- {name}" for name in theirs[begin:end])
            yield from (f"+ {name}" for name in ours[other_begin:other_end])


def _address(text: str) -> tuple[str, str, str]:
    url = urlsplit(text if "//" in text else f"//{text}")
    try:
        port = url.port
    except ValueError:
        return "", "", text
    default = {"http": 80, "https": 443}.get(url.scheme)
    host = f"{(url.hostname or '').lower()}{'' if port in (None, default) else f':{port}'}"
    return url.scheme.lower(), host, url.path.rstrip("/")


def _configome(connections: Connections) -> Side:
    part = connections.environment.configome
    place, by_hand = part.path, ""
    try:
        system = connections.configome
        place, by_hand = system.place, system.by_hand if part.remote else ""
        read = system.read()
        found = settings.read(read.text, part.key, f"configome's {part.path}" if system.kind == "git" else system.place)
    except ToolkitError as error:
        return Side("configome", place, by_hand, problem=error)
    return Side("configome", read.place, by_hand, found, None, read.commit, read.changed_at, read.note)


def _production(connections: Connections) -> Side:
    environment = connections.environment
    path, branch = environment.loader.manifest, environment.infra_repo.branch
    if not path:
        problem = ConfigurationError(
            "Where production's settings of the auto-loader are, is not configured: loader.manifest is empty.",
            hint="Set it to their file in eng-infrastructure, under [environments.NAME.loader].",
        )
        return Side("production", "", problem=problem)
    place, by_hand = f"{path} on {branch}", ""
    try:
        by_hand = connections.infra_repo.file_by_hand(path)
        file = connections.infra_repo.file(path, "loader.manifest")
        found = settings.read(file.text, environment.configome.key, f"eng-infrastructure's {path}")
    except ToolkitError as error:
        return Side("production", place, by_hand, problem=error)
    changed = file.changed
    commit, at = (changed.commit, changed.committed_at) if changed else ("", None)
    return Side("production", place, by_hand, found, commit=commit, changed_at=at, note=file.note)
