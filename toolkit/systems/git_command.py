"""Runs git: without prompts, bounded in time, and ended with all its children; its complaints become our errors."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from toolkit.errors import ConfigurationError, NotAllowed, TimedOut, ToolkitError, Unreachable
from toolkit.secret import Secret, scrub

_NOT_OURS: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")
_DENIED: Final = re.compile(
    r"permission denied|authentication failed|could not read (username|password)|terminal prompts disabled"
    r"|access denied|returned error: 40[13]|host key verification failed|repository not found",
    re.IGNORECASE,
)
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Repository:
    """Which repository: what people call it, and the part of the environment whose keys say where it is."""

    name: str
    part: str


class GitFailed(Exception):
    """git ended with an error; `said` is what it wrote."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def git(*words: str, timeout: float = 30.0) -> str:
    """What `git WORDS` prints. Raises GitFailed, ConfigurationError where there is no git, TimedOut."""
    try:
        process = subprocess.Popen(
            ["git", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_environment(),
            start_new_session=True,
        )
    except FileNotFoundError:
        raise ConfigurationError(
            "There is no git on this machine's PATH; no repository can be read.", hint="Install git."
        ) from None
    with process:
        try:
            out, said = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            raise TimedOut(f"git {words[0]} did not end within {timeout:.0f} s.") from None
        except BaseException:
            _end(process)
            raise
    if process.returncode != 0:
        raise GitFailed(scrub(said.strip()))
    return out


def shown(remote: str) -> str:
    """A remote's address without the name that may stand in it: with some servers that is a token."""
    parts = urlsplit(remote)
    if parts.scheme in ("", "ssh") or "@" not in parts.netloc:
        return remote
    name, _, host = parts.netloc.rpartition("@")
    Secret(name)  # from now on it is scrubbed from what git says, too
    return urlunsplit(parts._replace(netloc=host))


def has_password(remote: str) -> bool:
    """Whether a password stands in the address: git would show it to everybody in the list of processes."""
    return bool(urlsplit(remote).password)


def remote_error(of: Repository, remote: str, failed: GitFailed) -> ToolkitError:
    """Why a remote could not be read: not allowed, or not reached."""
    last = failed.said.rpartition("\n")[2]
    telling = next((line for line in failed.said.splitlines() if _DENIED.search(line)), "")
    if telling:
        return NotAllowed(
            f"{of.name} at {shown(remote)} does not let us in: {telling[:_LONGEST]}",
            hint="Is your ssh key loaded (ssh-add -l), or your Git credential still good? Try the command by hand.",
            by_hand=(f"git ls-remote {shown(remote)}",),
        )
    return Unreachable(
        f"{of.name} at {shown(remote)} cannot be read: {last[:_LONGEST]}",
        hint=f"Is your VPN up? Is {of.part}.remote right? It may also name a clone on this machine.",
        by_hand=(f"git ls-remote {shown(remote)}",),
    )


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in _NOT_OURS}
    ssh = os.environ.get("GIT_SSH_COMMAND") or "ssh"
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        "GCM_INTERACTIVE": "never",
        "GIT_SSH_COMMAND": f"{ssh} -o BatchMode=yes -o ConnectTimeout=10",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
