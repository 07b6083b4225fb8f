"""The sandbox's Git repositories: real ones, made with git; plain files where there is no git on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

BRANCH = "trunk"
HEALTHY = "healthy"  # the tag of the commit that a healthy world stands at


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit to be made: `write` brings the files into the state that it has."""

    when: datetime
    message: str
    write: Callable[[], None]


def create(directory: Path, readme: str, commits: Sequence[Commit]) -> bool:
    """Make the repository, new, with these commits in their order of time. False where there is no git here: then the
    files are as the last one leaves them."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    there = shutil.which("git") is not None
    if there:
        git(directory, "init", "--quiet", f"--initial-branch={BRANCH}")
        (directory / "README.md").write_text(readme, "utf-8")
    for one in sorted(commits, key=lambda commit: commit.when):
        one.write()
        commit(directory, one.message, one.when)
    if there:
        git(directory, "tag", HEALTHY)
    return there


def is_repository(directory: Path) -> bool:
    return (directory / ".git").is_dir()


def restore(directory: Path) -> bool:
    """Everything as it was when it was made. False where there is no git: the caller has to write it."""
    if not is_repository(directory):
        return False
    git(directory, "reset", "--quiet", "--hard", HEALTHY)
    git(directory, "clean", "-qfd")
    return True


def commit(directory: Path, message: str, when: datetime) -> None:
    if is_repository(directory):
        git(directory, "add", "--all")
        git(directory, "commit", "--quiet", "--message", message, when=when)


def newest(directory: Path, otherwise: datetime) -> datetime:
    """When the newest commit was made."""
    if not is_repository(directory):
        return otherwise
    return datetime.fromisoformat(git(directory, "log", "-1", "--format=%cI", BRANCH).strip())


def git(directory: Path, *arguments: str, when: datetime | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    if when is not None:
        for role in ("AUTHOR", "COMMITTER"):
            environment |= {
                f"GIT_{role}_NAME": directory.name,
                f"GIT_{role}_EMAIL": f"{directory.name}@sandbox.invalid",
                f"GIT_{role}_DATE": when.isoformat(),
            }
    done = subprocess.run(
        ["git", *arguments], cwd=directory, env=environment, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout
