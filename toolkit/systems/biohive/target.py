"""What ssh would do for BioHive's host, as its own configuration says (`ssh -G`): name, user, keys, known host key.

Nothing here connects.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolkit.environments.biohive import BioHive
from toolkit.errors import ConfigurationError

_QUICK = 10.0  # seconds: for what only looks at this machine


@dataclass(frozen=True)
class Target:
    """`host` is as configured, `hostname` and `port` where it leads. `keys_here` are the key files that exist;
    `agent_keys` is how many the agent holds (None: there is no agent). `options` go into every ssh command.
    `own_control` is the control socket of the user's own configuration ("" for none)."""

    host: str
    hostname: str
    user: str
    port: int
    jump: str
    keys_here: tuple[str, ...]
    agent_keys: int | None
    host_key: Literal["known", "unknown", "not looked at"]
    own_control: str
    options: tuple[str, ...]

    @property
    def label(self) -> str:
        """bh-login001, with what it really is where that differs: bh (ana@10.0.0.1:22)"""
        return self.host if self.host == self.hostname else f"{self.host} ({self.hostname}:{self.port})"

    @property
    def known_as(self) -> str:
        """As known_hosts names it."""
        return self.hostname if self.port == 22 else f"'[{self.hostname}]:{self.port}'"

    def by_hand(self, *words: str) -> str:
        return shlex.join(["ssh", *self.options, self.host, *words])


def target(part: BioHive) -> Target:
    """Raises ConfigurationError where there is no host, no ssh, or ssh does not take its configuration."""
    if not part.host:
        raise ConfigurationError(
            "This environment has no BioHive: biohive.host is empty.",
            hint="Set it to the login node's name, or to its alias in your ssh configuration.",
        )
    if part.host.startswith("-") or any(not char.isprintable() or char.isspace() for char in part.host):
        raise ConfigurationError(f"biohive.host is no host's name: {part.host!r}.")
    if shutil.which("ssh") is None:
        raise ConfigurationError("There is no ssh on this machine's PATH.", hint="Install OpenSSH's client.")
    options = _options(part)
    done = subprocess.run(
        ["ssh", *options, "-G", part.host],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_QUICK,
        check=False,
    )
    if done.returncode != 0:
        raise ConfigurationError(
            f"ssh does not take its configuration for {part.host}: {' '.join(done.stderr.split())[:300]}",
            hint="Correct that line of it, or biohive.ssh_options.",
            by_hand=(shlex.join(["ssh", *options, "-G", part.host]),),
        )
    said: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition(" ")
        said.setdefault(key.lower(), []).append(value)

    def one(key: str, default: str = "") -> str:
        return said.get(key, [default])[0]

    hostname, port = one("hostname", part.host), int(one("port", "22"))
    files = " ".join(said.get("userknownhostsfile", []) + said.get("globalknownhostsfile", [])).split()
    own = one("controlpath")
    jump = one("proxyjump")
    return Target(
        host=part.host,
        hostname=hostname,
        user=one("user"),
        port=port,
        jump="" if jump == "none" else jump,
        keys_here=tuple(file for file in said.get("identityfile", []) if Path(file).expanduser().is_file()),
        agent_keys=_agent_keys(),
        host_key=_host_key(hostname, port, one("hostkeyalias"), files),
        own_control="" if own in ("", "none") else own,
        options=tuple(options),
    )


def _options(part: BioHive) -> Sequence[str]:
    words: list[str] = []
    if part.ssh_config:
        words += ["-F", str(Path(part.ssh_config).expanduser())]
    if part.user:
        words += ["-l", part.user]
    for option in part.ssh_options:
        words += ["-o", option]
    return words


def _agent_keys() -> int | None:
    if not os.environ.get("SSH_AUTH_SOCK") or shutil.which("ssh-add") is None:
        return None
    try:
        done = subprocess.run(
            ["ssh-add", "-l"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_QUICK, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode == 2:  # it cannot be reached
        return None
    return len(done.stdout.splitlines()) if done.returncode == 0 else 0


def _host_key(
    hostname: str, port: int, alias: str, files: Sequence[str]
) -> Literal["known", "unknown", "not looked at"]:
    """Whether some known_hosts file names the host. `ssh-keygen -F` finds hashed names too."""
    if shutil.which("ssh-keygen") is None:
        return "not looked at"
    name = alias or (hostname if port == 22 else f"[{hostname}]:{port}")
    for file in files:
        path = Path(file).expanduser()
        if not path.is_file():
            continue
        done = subprocess.run(
            ["ssh-keygen", "-F", name, "-f", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_QUICK,
            check=False,
        )
        if done.returncode == 0 and done.stdout.strip():
            return "known"
    return "unknown"
