"""The clipboard, for a secret: the desktop's own tool where there is a desktop, else through the terminal (OSC 52).

The secret goes through stdin or the terminal, never on a command line. tmux drops an application's OSC 52 unless it is
told otherwise (`set-clipboard on`), so inside tmux it is tmux that is asked to set the clipboard, and its own copy is
deleted at once. A terminal never says whether it took an OSC 52; the answer here says which way was used.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import Failed
from toolkit.secret import Secret
from toolkit.systems.desktop import over_ssh

_TOOL_SECONDS = 5.0
_TMUX_BUFFER = "mapapp-toolkit"


@dataclass(frozen=True)
class Copied:
    """How the secret was put on the clipboard. `sure`: the way tells whether it worked."""

    way: str
    sure: bool


def copy(secret: Secret) -> Copied:
    """Put `secret` on the clipboard. Raises Failed where there is neither a clipboard tool nor a terminal."""
    for command in tools(os.environ, sys.platform):
        if shutil.which(command[0]) and _fed(command, secret):
            return Copied(command[0], sure=True)
    if os.environ.get("TMUX") and _through_tmux(secret):
        return Copied("the terminal, by tmux (OSC 52)", sure=False)
    try:
        with Path("/dev/tty").open("wb", buffering=0) as terminal:
            terminal.write(sequence(secret, os.environ))
    except OSError:
        pass
    else:
        return Copied("the terminal (OSC 52)", sure=False)
    raise Failed(
        "There is no clipboard to copy to: no clipboard tool for this desktop, and no terminal.",
        hint="Install wl-copy, xclip or xsel, or use --reveal in a place where nobody looks on.",
    )


def tools(environ: Mapping[str, str], platform: str) -> list[tuple[str, ...]]:
    """The clipboard commands for this desktop, the best first; none over ssh, where they reach the wrong screen."""
    if over_ssh():
        return []
    if platform == "darwin":
        return [("pbcopy",)]
    if platform == "win32" or environ.get("WSL_DISTRO_NAME"):
        return [("clip.exe",)]
    found: list[tuple[str, ...]] = []
    if environ.get("WAYLAND_DISPLAY"):
        found.append(("wl-copy", "--type", "text/plain"))
    if environ.get("DISPLAY"):
        found += [("xclip", "-selection", "clipboard", "-in"), ("xsel", "--clipboard", "--input")]
    return found


def sequence(secret: Secret, environ: Mapping[str, str]) -> bytes:
    """OSC 52, wrapped so that tmux (`allow-passthrough on`) or screen hand it on to the terminal around them."""
    osc = b"\x1b]52;c;" + base64.b64encode(secret.reveal().encode()) + b"\x07"
    if environ.get("TMUX"):
        return b"\x1bPtmux;" + osc.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\"
    if environ.get("STY"):
        return b"\x1bP" + osc + b"\x1b\\"
    return osc


def _through_tmux(secret: Secret) -> bool:
    """`load-buffer -w` sends to the terminal's clipboard, from tmux 3.2 on; older ones refuse the flag."""
    if not shutil.which("tmux") or not _fed(("tmux", "load-buffer", "-w", "-b", _TMUX_BUFFER, "-"), secret):
        return False
    _fed(("tmux", "delete-buffer", "-b", _TMUX_BUFFER), None)
    return True


def _fed(command: tuple[str, ...], secret: Secret | None) -> bool:
    """Run a tool with the secret on its stdin. Some stay on to serve the clipboard, so nothing of theirs is read."""
    try:
        done = subprocess.run(
            command,
            input=secret.reveal().encode() if secret else b"",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TOOL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
