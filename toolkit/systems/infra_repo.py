"""eng-infrastructure: which image its Git repository asks for. Read only, from a clone on this machine or a remote.

A clone is read as it stands, never fetched into: it is somebody's. A remote is fetched, one commit of one branch, into
the toolkit's cache.
"""

from __future__ import annotations

import difflib
import hashlib
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from toolkit import paths
from toolkit.environments import model
from toolkit.errors import ConfigurationError, Failed, NotFound, TimedOut
from toolkit.systems import infra_history
from toolkit.systems.git_command import GitFailed, git, has_password, remote_error, shown
from toolkit.systems.infra_history import Change, ImageHistory
from toolkit.systems.infra_manifest import images_of

_FETCH_SECONDS: Final = 90.0
_FRESH_SECONDS: Final = 60.0
_LARGEST_FILE: Final = 4 * 2**20


@dataclass(frozen=True, slots=True)
class WantedImage:
    """The image(s) a CronJob should run. `commit` is the last one that touched the file (of a remote: the branch's
    newest), `note` what one should know about the source, such as a clone's age."""

    image: str
    images: tuple[str, ...]
    commit: str
    committed_at: datetime
    path: str
    branch: str
    note: str = ""


class InfraRepo:
    """The repository that `part` names."""

    def __init__(self, part: model.InfraRepo) -> None:
        self.part = part
        self._fetched = 0.0
        shown(part.remote)

    @property
    def by_hand(self) -> str:
        """The command with which one would read the file."""
        clone = self._clone()
        if clone is not None:
            return f"git -C {clone} show {self.part.branch}:{self.part.path}"
        return f"git clone --depth 1 --branch {self.part.branch} {shown(self.part.remote)}; less {self.part.path}"

    def wanted_image(self, cronjob: str) -> WantedImage:
        """The image that the file asks for in the CronJob of that name.

        Raises ConfigurationError (not set, no git, no clone, no such branch or path), NotFound (no such CronJob),
        Failed (the file cannot be understood), NotAllowed, Unreachable, TimedOut.
        """
        for key in ("remote", "branch", "path"):
            if not getattr(self.part, key):
                raise ConfigurationError(
                    f"eng-infrastructure is not configured: infra_repo.{key} is empty.",
                    hint="Set it in the environment's [infra_repo]; `toolkit config check` lists all that is open.",
                )
        if has_password(self.part.remote):
            raise ConfigurationError(
                f"A password stands in infra_repo.remote ({shown(self.part.remote)}).",
                hint="Take it out, and let a Git credential helper or ssh keep it.",
            )
        if self.part.branch.startswith("-"):
            raise ConfigurationError(f"infra_repo.branch {self.part.branch!r} is not a branch's name.")
        repository, revision, note = self._located()
        path = self.part.path
        try:
            text = self._file(repository, revision)
        except ConfigurationError:
            moved = infra_history.moved_to(repository, revision, path)
            if not moved:
                raise
            path, more = moved, f"its file was moved to {moved}: correct infra_repo.path"
            note = f"{note}; {more}" if note else more
            text = self._file(repository, revision, path)
        images = images_of(text, cronjob, path)
        commit, _, stamp = (
            git("-C", str(repository), "log", "-1", "--format=%H %cI", revision, "--", path).strip().partition(" ")
        )
        committed_at = datetime.fromisoformat(stamp) if stamp else datetime.fromtimestamp(0, UTC)
        return WantedImage(images[0], images, commit, committed_at, path, self.part.branch, note)

    def history(self, cronjob: str, seek: tuple[str, ...] = ()) -> ImageHistory:
        """The commits that changed the file, the newest first, each with the images it asked for; back to the one that
        set the images now asked for and, as far as the branch goes, the one that set `seek`.

        Of a remote the history is fetched in growing pieces, without the files in it. Raises as `wanted_image` does.
        """
        wanted = self.wanted_image(cronjob)
        repository, revision, _ = self._located()
        depths = infra_history.DEPTHS if self._clone() is None else ()
        sought = [one for one in (frozenset(wanted.images), frozenset(seek)) if one]
        found = infra_history.read(repository, revision, wanted.path, cronjob, sought)
        for depth in depths:
            if found.whole or all(found.has(one) for one in sought):
                break
            self._deepen(repository, depth)
            found = infra_history.read(repository, revision, wanted.path, cronjob, sought)
        return found

    def images_at(self, commit: str, cronjob: str, path: str) -> tuple[str, ...]:
        """What the file asked for at `commit`. () where this repository does not have that commit, or the file then."""
        repository, _, _ = self._located()
        try:
            return images_of(git("-C", str(repository), "cat-file", "blob", f"{commit}:{path}"), cronjob, path)
        except (GitFailed, NotFound, Failed, TimedOut):
            return ()

    def has(self, commit: str) -> bool:
        """Whether the repository on this machine has that commit."""
        repository, _, _ = self._located()
        try:
            git("-C", str(repository), "cat-file", "-e", f"{commit}^{{commit}}")
        except (GitFailed, TimedOut):
            return False
        return True

    def between(self, older: Change, newer: Change) -> tuple[Change, ...]:
        """The commits to the file after `older`, up to and with `newer`, as git orders them; the newest first."""
        repository, _, _ = self._located()
        return infra_history.between(repository, older, newer)

    def by_hand_between(self, older: str, newer: str) -> str:
        """The command that lists those commits."""
        where = self._clone() or "eng-infrastructure"
        return f"git -C {where} log --oneline --follow {older[:9]}..{newer[:9]} -- {self.part.path}"

    def manifests(self) -> tuple[str, ...]:
        """The YAML files on the branch that are called after the cache manager."""
        repository, revision, _ = self._located()
        names = git("-C", str(repository), "ls-tree", "-r", "--name-only", revision).splitlines()
        return tuple(name for name in names if "cache-manager" in name and name.endswith((".yaml", ".yml")))

    # -- where it is

    def _located(self) -> tuple[Path, str, str]:
        """The repository on this machine, the branch's newest revision in it, and what one should know about it."""
        clone = self._clone()
        if clone is not None:
            return clone, self._newest_revision(clone), _age_of(clone)
        return self._fetched_copy(), f"refs/heads/{self.part.branch}", ""

    def _clone(self) -> Path | None:
        """The clone on this machine that `remote` names; None where it names a remote."""
        remote = self.part.remote
        path = Path(remote).expanduser()
        if path.is_dir():
            return path
        if remote.startswith(("/", "~", ".")):
            raise ConfigurationError(
                f"There is no clone of eng-infrastructure at {path} (infra_repo.remote).",
                hint="Clone it there, or correct infra_repo.remote; it may also be a remote's URL.",
            )
        return None

    def _newest_revision(self, clone: Path) -> str:
        """The branch as it was last fetched or committed here, whichever is younger."""
        branch = self.part.branch
        try:
            git("-C", str(clone), "rev-parse", "--git-dir")
        except GitFailed as failed:
            raise ConfigurationError(
                f"{clone} (infra_repo.remote) is not a Git repository that can be read: {failed.said[:200]}"
            ) from None
        pattern = (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}")
        listed = git("-C", str(clone), "for-each-ref", "--sort=-committerdate", "--format=%(refname)", *pattern)
        found = [line for line in listed.splitlines() if line in pattern]
        if not found:
            names = git("-C", str(clone), "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes")
            raise self._no_branch(names.split())
        return found[0]

    def _fetched_copy(self) -> Path:
        """The branch's newest commit in the toolkit's cache, at most a minute old."""
        from filelock import FileLock, Timeout

        remote, branch = self.part.remote, self.part.branch
        key = hashlib.sha256(f"{remote}\n{branch}".encode()).hexdigest()[:16]
        folder = paths.cache() / "infra-repo"
        folder.mkdir(exist_ok=True, mode=0o700)
        copy = folder / key
        if copy.is_dir() and time.monotonic() - self._fetched < _FRESH_SECONDS and self._fetched:
            return copy
        try:
            with FileLock(str(copy) + ".lock", timeout=_FETCH_SECONDS):
                if copy.is_dir():
                    refspec = f"+refs/heads/{branch}:refs/heads/{branch}"
                    # One commit stays one; of a history that was fetched, only what is new comes.
                    depth = () if infra_history.is_deep(copy) else ("--depth=1",)
                    git("-C", str(copy), "fetch", "-q", *depth, "origin", refspec, timeout=_FETCH_SECONDS)
                else:
                    self._clone_into(copy)
        except Timeout:
            raise TimedOut("Another toolkit has been fetching eng-infrastructure for too long.") from None
        except GitFailed as failed:
            if "remote branch" in failed.said.lower() or "remote ref" in failed.said.lower():
                raise self._no_branch([]) from None
            raise remote_error(remote, failed) from None
        self._fetched = time.monotonic()
        return copy

    def _clone_into(self, copy: Path) -> None:
        """Clone beside, then rename: what was cut off is never taken for a whole one."""
        beside = Path(tempfile.mkdtemp(dir=copy.parent, prefix=copy.name + "."))
        try:
            options = ["-q", "--bare", "--depth=1", "--filter=blob:none", "--single-branch", "--no-tags"]
            git(
                "clone", *options, "--branch", self.part.branch, "--", self.part.remote, str(beside),
                timeout=_FETCH_SECONDS,
            )  # fmt: skip
            beside.rename(copy)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _deepen(self, copy: Path, depth: int) -> None:
        """Fetch the history of the copy, `depth` commits of it; 0: all."""
        from filelock import FileLock, Timeout

        how = f"--depth={depth}" if depth else "--unshallow"
        refspec = f"+refs/heads/{self.part.branch}:refs/heads/{self.part.branch}"
        try:
            with FileLock(str(copy) + ".lock", timeout=_FETCH_SECONDS):
                git("-C", str(copy), "fetch", "-q", how, "origin", refspec, timeout=_FETCH_SECONDS)
        except Timeout:
            raise TimedOut("Another toolkit has been fetching eng-infrastructure for too long.") from None
        except GitFailed as failed:
            raise remote_error(self.part.remote, failed) from None

    def _no_branch(self, known: list[str]) -> ConfigurationError:
        near = difflib.get_close_matches(self.part.branch, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known[:10])}." if known else ""
        return ConfigurationError(
            f"eng-infrastructure at {shown(self.part.remote)} has no branch {self.part.branch!r} (infra_repo.branch).",
            hint=hint or f"Look at its branches: git ls-remote --heads {shown(self.part.remote)}",
        )

    # -- what it says

    def _file(self, repository: Path, revision: str, path: str = "") -> str:
        path = path or self.part.path
        try:
            kind = git("-C", str(repository), "cat-file", "-t", f"{revision}:{path}").strip()
        except GitFailed as failed:
            if "fetch" in failed.said:
                raise remote_error(self.part.remote, failed) from None
            kind = ""
        if kind != "blob":
            names = git("-C", str(repository), "ls-tree", "-r", "--name-only", revision).splitlines()
            near = difflib.get_close_matches(path, names, n=1) or [
                name for name in names if name.endswith("/" + Path(path).name)
            ]
            raise ConfigurationError(
                f"eng-infrastructure has no file {path} on {self.part.branch} (infra_repo.path).",
                hint=f"Did you mean {near[0]}?" if near else "Correct infra_repo.path.",
            )
        if int(git("-C", str(repository), "cat-file", "-s", f"{revision}:{path}")) > _LARGEST_FILE:
            raise Failed(
                f"{path} in eng-infrastructure is too large to be a manifest.", hint="Correct infra_repo.path."
            )
        return git("-C", str(repository), "cat-file", "blob", f"{revision}:{path}")


def _age_of(clone: Path) -> str:
    """When the clone was last fetched, where that is more than a day ago."""
    try:
        common = Path(git("-C", str(clone), "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
        fetched = datetime.fromtimestamp((common / "FETCH_HEAD").stat().st_mtime, UTC)
    except (GitFailed, OSError):
        return ""
    days = (datetime.now(UTC) - fetched).days
    return f"the clone was last fetched {days} days ago" if days > 1 else ""
