"""eng-infrastructure: which image its Git repository asks for. Read only: see git_file.py for how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from toolkit.environments import model
from toolkit.errors import ConfigurationError, Failed, NotFound, TimedOut
from toolkit.systems import infra_history
from toolkit.systems.git_command import GitFailed, Repository, git
from toolkit.systems.git_file import GitBranch
from toolkit.systems.infra_history import Change, ImageHistory
from toolkit.systems.infra_manifest import images_of

_OF = Repository("eng-infrastructure", "infra_repo")


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


@dataclass(frozen=True, slots=True)
class BranchFile:
    """A file as it is on the branch. `changed` is the last commit that touched it."""

    text: str
    path: str
    branch: str
    changed: Change | None
    note: str = ""


class InfraRepo:
    """The repository that `part` names."""

    def __init__(self, part: model.InfraRepo) -> None:
        self.part = part
        self._git = GitBranch(_OF, part.remote, part.branch)

    @property
    def by_hand(self) -> str:
        """The command with which one would read the cache manager's file."""
        return self._git.by_hand(self.part.path)

    def file_by_hand(self, path: str) -> str:
        """The command with which one would read that file."""
        return self._git.by_hand(path)

    def file(self, path: str, key: str) -> BranchFile:
        """Another file of the branch; `key` is the configuration's that names it. Raises as `wanted_image` does."""
        self._git.check(path)
        at = self._git.located()
        text = self._git.text(at, path, key)
        return BranchFile(text, path, self.part.branch, self._git.last_change(at, path), at.note)

    def since(self, path: str, holds: Callable[[str], bool]) -> Change | None:
        """The commit since which `holds` is true of that file's text; None: it is not, or that is not known."""
        self._git.check(path)
        return self._git.set_by(self._git.located(), path, holds)

    def wanted_image(self, cronjob: str) -> WantedImage:
        """The image that the file asks for in the CronJob of that name.

        Raises ConfigurationError (not set, no git, no clone, no such branch or path), NotFound (no such CronJob),
        Failed (the file cannot be understood), NotAllowed, Unreachable, TimedOut.
        """
        self._git.check(self.part.path)
        at = self._git.located()
        path, note = self.part.path, at.note
        try:
            text = self._git.text(at, path)
        except ConfigurationError:
            moved = infra_history.moved_to(at.repository, at.revision, path)
            if not moved:
                raise
            path, more = moved, f"its file was moved to {moved}: correct infra_repo.path"
            note = f"{note}; {more}" if note else more
            text = self._git.text(at, path)
        images = images_of(text, cronjob, path)
        last = self._git.last_change(at, path)
        commit, committed_at = (last.commit, last.committed_at) if last else ("", datetime.fromtimestamp(0, UTC))
        return WantedImage(images[0], images, commit, committed_at, path, self.part.branch, note)

    def history(self, cronjob: str, seek: tuple[str, ...] = ()) -> ImageHistory:
        """The commits that changed the file, the newest first, each with the images it asked for; back to the one that
        set the images now asked for and, as far as the branch goes, the one that set `seek`.

        Of a remote the history is fetched in growing pieces, without the files in it. Raises as `wanted_image` does.
        """
        wanted = self.wanted_image(cronjob)
        at = self._git.located()
        repository, revision = at.repository, at.revision
        depths = infra_history.DEPTHS if self._git.clone() is None else ()
        sought = [one for one in (frozenset(wanted.images), frozenset(seek)) if one]
        found = infra_history.read(repository, revision, wanted.path, cronjob, sought)
        for depth in depths:
            if found.whole or all(found.has(one) for one in sought):
                break
            self._git.deepen(repository, depth)
            found = infra_history.read(repository, revision, wanted.path, cronjob, sought)
        return found

    def images_at(self, commit: str, cronjob: str, path: str) -> tuple[str, ...]:
        """What the file asked for at `commit`. () where this repository does not have that commit, or the file then."""
        repository = self._git.located().repository
        try:
            return images_of(git("-C", str(repository), "cat-file", "blob", f"{commit}:{path}"), cronjob, path)
        except (GitFailed, NotFound, Failed, TimedOut):
            return ()

    def has(self, commit: str) -> bool:
        """Whether the repository on this machine has that commit."""
        repository = self._git.located().repository
        try:
            git("-C", str(repository), "cat-file", "-e", f"{commit}^{{commit}}")
        except (GitFailed, TimedOut):
            return False
        return True

    def between(self, older: Change, newer: Change) -> tuple[Change, ...]:
        """The commits to the file after `older`, up to and with `newer`, as git orders them; the newest first."""
        repository = self._git.located().repository
        return infra_history.between(repository, older, newer)

    def by_hand_between(self, older: str, newer: str) -> str:
        """The command that lists those commits."""
        where = self._git.clone() or _OF.name
        return f"git -C {where} log --oneline --follow {older[:9]}..{newer[:9]} -- {self.part.path}"

    def manifests(self) -> tuple[str, ...]:
        """The YAML files on the branch that are called after the cache manager."""
        at = self._git.located()
        names = git("-C", str(at.repository), "ls-tree", "-r", "--name-only", at.revision).splitlines()
        return tuple(name for name in names if "cache-manager" in name and name.endswith((".yaml", ".yml")))
