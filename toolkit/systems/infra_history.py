"""How what a file of a repository says came about: the commits to it, read with git; and the images in a manifest.

What is newer is what git says is newer: a tag's text (v3.9 and v3.10) says nothing, and trunk may go back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from toolkit.errors import Failed, NotFound
from toolkit.systems.git_command import GitFailed, git
from toolkit.systems.infra_manifest import images_of

DEPTHS: Final = (200, 5000, 0)  # of a remote's history, one after the other; 0 is all of it
_MOST_CHANGES: Final = 200  # of one file: each may be a file to be fetched
_FORMAT: Final = "--format=%x1e%H%x1f%cI%x1f%an%x1f%s"


@dataclass(frozen=True, slots=True)
class Change:
    """A commit that touched the manifest. `images` are those asked for after it: () where it could not be understood
    then, or did not name the CronJob. `path` is where the file was."""

    commit: str
    committed_at: datetime
    author: str
    subject: str
    path: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageHistory:
    """Changes of the manifest, the newest first. `whole`: they go back to its beginning."""

    changes: tuple[Change, ...]
    whole: bool

    def setter(self, images: Iterable[str]) -> Change | None:
        """The commit that set these images, the last time that they were asked for; None where it is not known.

        Commits after it that touched something else of the file do not count.
        """
        wanted, found = frozenset(images), None
        for number, change in enumerate(self.changes):
            if frozenset(change.images) == wanted:
                found = change
                if number == len(self.changes) - 1 and not self.whole:
                    return None  # it may have been set before the oldest that is known
            elif found is not None:
                return found
        return found

    def has(self, images: Set[str]) -> bool:
        return self.setter(images) is not None


def read(repository: Path, revision: str, path: str, cronjob: str, sought: Iterable[Set[str]] = ()) -> ImageHistory:
    """The commits of `revision` that touched the file, renames followed, until all `sought` are found."""
    changes: list[Change] = []
    wanted = list(sought)
    border = _borders(repository)
    for change in _log(repository, revision, path):
        if change.commit in border or len(changes) == _MOST_CHANGES:
            return ImageHistory(tuple(changes), whole=False)
        changes.append(_with_images(repository, change, cronjob))
        found = ImageHistory(tuple(changes), whole=False)
        if wanted and all(found.has(one) for one in wanted):
            return found
    return ImageHistory(tuple(changes), whole=True)


def since(repository: Path, revision: str, path: str, holds: Callable[[str], bool]) -> tuple[Change | None, bool]:
    """The oldest commit from which on `holds` is true of the file's text, without a gap, until now; and whether the
    history goes back far enough to know it. None: it is not true now."""
    found: Change | None = None
    border = _borders(repository)
    for number, change in enumerate(_log(repository, revision, path)):
        if change.commit in border or number == _MOST_CHANGES:
            return None, False
        try:
            text = git("-C", str(repository), "cat-file", "blob", f"{change.commit}:{change.path}")
        except GitFailed:
            text = ""
        if not holds(text):
            return found, True
        found = change
    return found, True


def between(repository: Path, older: Change, newer: Change) -> tuple[Change, ...]:
    """The commits to the file that `newer` has and `older` has not."""
    return tuple(_log(repository, f"{older.commit}..{newer.commit}", newer.path))


def moved_to(repository: Path, revision: str, path: str) -> str:
    """Where the file was moved to, if git knows; "" otherwise."""
    for _ in range(10):
        try:
            told = git(
                "-C", str(repository), "log", "-1", "--format=%H", "--diff-filter=D", "--no-renames", revision, "--",
                path,
            ).strip()  # fmt: skip
            if not told or told in _borders(repository):
                return ""
            names = git("-C", str(repository), "show", "-M", "--format=", "--name-status", told)
        except GitFailed:
            return ""
        rows = [line.split("\t") for line in names.splitlines()]
        path = next((row[2] for row in rows if len(row) == 3 and row[0].startswith("R") and row[1] == path), "")
        if not path:
            return ""
        try:
            git("-C", str(repository), "cat-file", "-e", f"{revision}:{path}")
        except GitFailed:
            continue  # moved on from there
        return path
    return ""


def is_deep(repository: Path) -> bool:
    """Whether more than the newest commit was fetched."""
    return int(git("-C", str(repository), "rev-list", "--count", "--max-count=2", "--all")) > 1


def is_shallow(repository: Path) -> bool:
    """Whether the history of the copy ends before its beginning."""
    return bool(_borders(repository))


def _log(repository: Path, revision: str, path: str) -> Iterator[Change]:
    text = git(
        "-C", str(repository), "log", "--follow", "--name-only", f"--max-count={_MOST_CHANGES + 1}", _FORMAT,
        revision, "--", path, timeout=90.0,
    )  # fmt: skip
    for record in text.split("\x1e")[1:]:
        head, _, names = record.partition("\n")
        commit, stamp, author, subject = head.split("\x1f", 3)
        where = next((line for line in names.splitlines() if line), path)
        yield Change(commit, datetime.fromisoformat(stamp), author, subject, where)


def _with_images(repository: Path, change: Change, cronjob: str) -> Change:
    try:
        text = git("-C", str(repository), "cat-file", "blob", f"{change.commit}:{change.path}")
        images = images_of(text, cronjob, change.path)
    except (GitFailed, Failed, NotFound):
        images = ()
    return Change(change.commit, change.committed_at, change.author, change.subject, change.path, images)


def _borders(repository: Path) -> frozenset[str]:
    """The commits at which a shallow history ends: git takes all that is in them for new."""
    name = git("-C", str(repository), "rev-parse", "--path-format=absolute", "--git-path", "shallow").strip()
    try:
        return frozenset(Path(name).read_text("ascii").split())
    except OSError:
        return frozenset()
