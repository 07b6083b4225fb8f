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
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from toolkit import paths
from toolkit.environments import model
from toolkit.errors import ConfigurationError, Failed, NotFound, TimedOut
from toolkit.systems.git_command import GitFailed, git, has_password, remote_error, shown

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
        clone = self._clone()
        if clone is not None:
            repository, revision, note = clone, self._newest_revision(clone), _age_of(clone)
        else:
            repository, revision, note = self._fetched_copy(), f"refs/heads/{self.part.branch}", ""
        text = self._file(repository, revision)
        images = self._images(text, cronjob)
        commit, _, stamp = (
            git("-C", str(repository), "log", "-1", "--format=%H %cI", revision, "--", self.part.path)
            .strip()
            .partition(" ")
        )
        committed_at = datetime.fromisoformat(stamp) if stamp else datetime.fromtimestamp(0, UTC)
        return WantedImage(images[0], images, commit, committed_at, self.part.path, self.part.branch, note)

    # -- where it is

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
                    git("-C", str(copy), "fetch", "-q", "--depth=1", "origin", refspec, timeout=_FETCH_SECONDS)
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

    def _no_branch(self, known: list[str]) -> ConfigurationError:
        near = difflib.get_close_matches(self.part.branch, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known[:10])}." if known else ""
        return ConfigurationError(
            f"eng-infrastructure at {shown(self.part.remote)} has no branch {self.part.branch!r} (infra_repo.branch).",
            hint=hint or f"Look at its branches: git ls-remote --heads {shown(self.part.remote)}",
        )

    # -- what it says

    def _file(self, repository: Path, revision: str) -> str:
        path = self.part.path
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

    def _images(self, text: str, cronjob: str) -> tuple[str, ...]:
        import yaml

        try:
            found = {str(name): images for name, images in _cronjobs(yaml.safe_load_all(text))}
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or "it cannot be read"
            raise Failed(
                f"{self.part.path}{where} in eng-infrastructure is not valid YAML: {problem}.",
                hint="A template (Helm, Jinja) is not understood here; the plain manifest is needed.",
            ) from None
        if cronjob not in found:
            raise NotFound(
                f"{self.part.path} in eng-infrastructure defines no CronJob {cronjob}.",
                hint=f"It defines: {', '.join(found) or 'no CronJob at all'}. Is infra_repo.path the right file?",
            )
        if not found[cronjob]:
            raise Failed(f"CronJob {cronjob} in {self.part.path} of eng-infrastructure names no image.")
        return found[cronjob]


def _cronjobs(documents: Iterator[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name and images of each CronJob in the documents; whatever does not look like one is passed over."""
    for document in documents:
        if not isinstance(document, dict):
            continue
        if isinstance(document.get("items"), list):
            yield from _cronjobs(iter(document["items"]))
        if document.get("kind") == "CronJob":
            containers = _at(document, "spec", "jobTemplate", "spec", "template", "spec", "containers")
            name = _at(document, "metadata", "name")
            if isinstance(name, str):
                images = [one.get("image") for one in containers or () if isinstance(one, dict)]
                yield name, tuple(str(image) for image in images if image)


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _age_of(clone: Path) -> str:
    """When the clone was last fetched, where that is more than a day ago."""
    try:
        common = Path(git("-C", str(clone), "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
        fetched = datetime.fromtimestamp((common / "FETCH_HEAD").stat().st_mtime, UTC)
    except (GitFailed, OSError):
        return ""
    days = (datetime.now(UTC) - fetched).days
    return f"the clone was last fetched {days} days ago" if days > 1 else ""
