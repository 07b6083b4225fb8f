"""One branch of a Git repository that others keep: its files as they are now, and the commits that changed them.

Read only, from a clone on this machine or a remote. A clone is read as it stands, never fetched into: it is somebody's.
A remote is fetched, one commit of one branch, into the toolkit's cache; more of its history only where it is needed.
"""

from __future__ import annotations

import difflib
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from toolkit import paths
from toolkit.errors import ConfigurationError, Failed, TimedOut
from toolkit.systems import infra_history
from toolkit.systems.git_command import GitFailed, Repository, git, has_password, remote_error, shown
from toolkit.systems.infra_history import Change

_FETCH_SECONDS: Final = 90.0
_FRESH_SECONDS: Final = 60.0
LARGEST_FILE: Final = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Located:
    """A repository on this machine, the branch's newest revision in it, and what one should know about it."""

    repository: Path
    revision: str
    note: str = ""


class GitBranch:
    """`branch` of the repository at `remote`, which messages call `of.name`; its keys are below `of.part`."""

    def __init__(self, of: Repository, remote: str, branch: str) -> None:
        self.of = of
        self.remote = remote
        self.branch = branch
        self._fetched = 0.0
        shown(remote)

    def by_hand(self, path: str) -> str:
        """The command with which one would read the file."""
        clone = self.clone()
        if clone is not None:
            return f"git -C {clone} show {self.branch}:{path}"
        return f"git clone --depth 1 --branch {self.branch} {shown(self.remote)}; less {path}"

    def check(self, path: str) -> None:
        """Raises ConfigurationError where something is not set, or is what git must not see."""
        for key, value in (("remote", self.remote), ("branch", self.branch), ("path", path)):
            if not value:
                raise ConfigurationError(
                    f"{self.of.name} is not configured: {self.of.part}.{key} is empty.",
                    hint=f"Set it in the environment's [{self.of.part}]; `toolkit config check` lists what is open.",
                )
        if has_password(self.remote):
            raise ConfigurationError(
                f"A password stands in {self.of.part}.remote ({shown(self.remote)}).",
                hint="Take it out, and let a Git credential helper or ssh keep it.",
            )
        if self.branch.startswith("-"):
            raise ConfigurationError(f"{self.of.part}.branch {self.branch!r} is not a branch's name.")

    def located(self) -> Located:
        """Where the branch can be read; a remote is fetched, at most once a minute."""
        clone = self.clone()
        if clone is not None:
            return Located(clone, self._newest_revision(clone), _age_of(clone))
        return Located(self._fetched_copy(), f"refs/heads/{self.branch}")

    def clone(self) -> Path | None:
        """The clone on this machine that `remote` names; None where it names a remote."""
        path = Path(self.remote).expanduser()
        if path.is_dir():
            return path
        if self.remote.startswith(("/", "~", ".")):
            raise ConfigurationError(
                f"There is no clone of {self.of.name} at {path} ({self.of.part}.remote).",
                hint=f"Clone it there, or correct {self.of.part}.remote; it may also be a remote's URL.",
            )
        return None

    def text(self, at: Located, path: str, key: str = "") -> str:
        """The file on the branch. `key` is the configuration's that names it (default: `path` of the part)."""
        repository, revision = str(at.repository), at.revision
        key = key or f"{self.of.part}.path"
        try:
            kind = git("-C", repository, "cat-file", "-t", f"{revision}:{path}").strip()
        except GitFailed as failed:
            if "fetch" in failed.said:
                raise remote_error(self.of, self.remote, failed) from None
            kind = ""
        if kind != "blob":
            names = git("-C", repository, "ls-tree", "-r", "--name-only", revision).splitlines()
            near = difflib.get_close_matches(path, names, n=1) or [
                name for name in names if name.endswith("/" + Path(path).name)
            ]
            raise ConfigurationError(
                f"{self.of.name} has no file {path} on {self.branch} ({key}).",
                hint=f"Did you mean {near[0]}?" if near else f"Correct {key}.",
            )
        if int(git("-C", repository, "cat-file", "-s", f"{revision}:{path}")) > LARGEST_FILE:
            raise Failed(f"{path} in {self.of.name} is too large to be a manifest.", hint=f"Correct {key}.")
        return git("-C", repository, "cat-file", "blob", f"{revision}:{path}")

    def last_change(self, at: Located, path: str) -> Change | None:
        """The last commit that touched the file (of a remote: the branch's newest)."""
        told = git(
            "-C", str(at.repository), "log", "-1", "--format=%H%x1f%cI%x1f%an%x1f%s", at.revision, "--", path
        ).strip()  # fmt: skip
        if not told:
            return None
        commit, stamp, author, subject = told.split("\x1f", 3)
        return Change(commit, datetime.fromisoformat(stamp), author, subject, path)

    def set_by(self, at: Located, path: str, holds: Callable[[str], bool]) -> Change | None:
        """The commit since which `holds` is true of the file's text, as it is now; None where that is not known.

        Of a remote the history is fetched in growing pieces.
        """
        for depth in (None, *(infra_history.DEPTHS if self.clone() is None else ())):
            if depth is not None:
                self.deepen(at.repository, depth)
            found, whole = infra_history.since(at.repository, at.revision, path, holds)
            if whole:
                return found
        return None

    def deepen(self, copy: Path, depth: int) -> None:
        """Fetch the history of the copy, `depth` commits of it; 0: all."""
        from filelock import FileLock, Timeout

        how = f"--depth={depth}" if depth else "--unshallow"
        refspec = f"+refs/heads/{self.branch}:refs/heads/{self.branch}"
        if not depth and not infra_history.is_shallow(copy):
            return  # git refuses to unshallow what is whole
        try:
            with FileLock(str(copy) + ".lock", timeout=_FETCH_SECONDS):
                git("-C", str(copy), "fetch", "-q", how, "origin", refspec, timeout=_FETCH_SECONDS)
        except (Timeout, TimedOut):
            raise self._late() from None
        except GitFailed as failed:
            raise remote_error(self.of, self.remote, failed) from None

    # -- where it is

    def _newest_revision(self, clone: Path) -> str:
        """The branch as it was last fetched or committed here, whichever is younger."""
        try:
            git("-C", str(clone), "rev-parse", "--git-dir")
        except GitFailed as failed:
            raise ConfigurationError(
                f"{clone} ({self.of.part}.remote) is not a Git repository that can be read: {failed.said[:200]}"
            ) from None
        pattern = (f"refs/heads/{self.branch}", f"refs/remotes/origin/{self.branch}")
        listed = git("-C", str(clone), "for-each-ref", "--sort=-committerdate", "--format=%(refname)", *pattern)
        found = [line for line in listed.splitlines() if line in pattern]
        if not found:
            names = git("-C", str(clone), "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes")
            raise self._no_branch(names.split())
        return found[0]

    def _fetched_copy(self) -> Path:
        """The branch's newest commit in the toolkit's cache, at most a minute old."""
        from filelock import FileLock, Timeout

        key = hashlib.sha256(f"{self.remote}\n{self.branch}".encode()).hexdigest()[:16]
        folder = paths.cache() / self.of.part.replace("_", "-")
        folder.mkdir(exist_ok=True, mode=0o700)
        copy = folder / key
        if copy.is_dir() and time.monotonic() - self._fetched < _FRESH_SECONDS and self._fetched:
            return copy
        try:
            with FileLock(str(copy) + ".lock", timeout=_FETCH_SECONDS):
                if copy.is_dir():
                    refspec = f"+refs/heads/{self.branch}:refs/heads/{self.branch}"
                    # One commit stays one; of a history that was fetched, only what is new comes.
                    depth = () if infra_history.is_deep(copy) else ("--depth=1",)
                    git("-C", str(copy), "fetch", "-q", *depth, "origin", refspec, timeout=_FETCH_SECONDS)
                else:
                    self._clone_into(copy)
        except (Timeout, TimedOut):
            raise self._late() from None
        except GitFailed as failed:
            if "remote branch" in failed.said.lower() or "remote ref" in failed.said.lower():
                raise self._no_branch([]) from None
            raise remote_error(self.of, self.remote, failed) from None
        self._fetched = time.monotonic()
        return copy

    def _clone_into(self, copy: Path) -> None:
        """Clone beside, then rename: what was cut off is never taken for a whole one."""
        beside = Path(tempfile.mkdtemp(dir=copy.parent, prefix=copy.name + "."))
        try:
            options = ["-q", "--bare", "--depth=1", "--filter=blob:none", "--single-branch", "--no-tags"]
            git(
                "clone", *options, "--branch", self.branch, "--", self.remote, str(beside), timeout=_FETCH_SECONDS
            )  # fmt: skip
            beside.rename(copy)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _late(self) -> TimedOut:
        return TimedOut(
            f"{self.of.name} at {shown(self.remote)} was not fetched within {_FETCH_SECONDS:g} s.",
            hint=f"Is your VPN up? Does another toolkit fetch it? {self.of.part}.remote may also name a clone.",
            by_hand=(f"git ls-remote {shown(self.remote)}",),
        )

    def _no_branch(self, known: list[str]) -> ConfigurationError:
        near = difflib.get_close_matches(self.branch, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known[:10])}." if known else ""
        return ConfigurationError(
            f"{self.of.name} at {shown(self.remote)} has no branch {self.branch!r} ({self.of.part}.branch).",
            hint=hint or f"Look at its branches: git ls-remote --heads {shown(self.remote)}",
        )


def _age_of(clone: Path) -> str:
    """When the clone was last fetched, where that is more than a day ago."""
    try:
        common = Path(git("-C", str(clone), "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
        fetched = datetime.fromtimestamp((common / "FETCH_HEAD").stat().st_mtime, UTC)
    except (GitFailed, OSError):
        return ""
    days = (datetime.now(UTC) - fetched).days
    return f"the clone was last fetched {days} days ago" if days > 1 else ""
