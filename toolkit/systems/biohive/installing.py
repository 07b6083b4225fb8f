"""uv installs the toolkit there, in the user's own space. The only change that is made on BioHive."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from toolkit.errors import Failed
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.biohive import BioHive, scripts
from toolkit.systems.biohive.wheel import Wheel

FOLDER: Final = "~/.cache/mapapp-toolkit/wheels"
_IN_HOME: Final = "$HOME/.cache/mapapp-toolkit/wheels"
_COPIES: Final = 120.0  # seconds
_INSTALLS: Final = 900.0
_NO_SOLUTION: Final = "No solution found"
_PATH: Final = 'PATH="$HOME/.local/bin:$HOME/.cargo/bin:$PATH"; export PATH; export UV_TOOL_BIN_DIR="$HOME/.local/bin"'


def from_wheel(biohive: BioHive, wheel: Wheel, permit: Permit, progress: Progress) -> Sequence[str]:
    """Copy the wheel and install it, with what it needs in the versions that are here, where BioHive can have those.

    Gives back lines for people. Raises Failed with what uv said; what was there before is then still there.
    """
    permit.check()
    host = biohive.target.host
    progress.step(f"Copying {wheel.name} to {host}")
    _put(biohive, wheel.name, wheel.content)
    _put(biohive, "constraints.txt", "\n".join(wheel.requirements).encode() + b"\n")
    progress.step(f"Installing on {host}: the first time brings some hundred MB of packages")
    file = f"{_IN_HOME}/{wheel.name}"
    try:
        _install(biohive, f'--constraints "{_IN_HOME}/constraints.txt" "{file}"')
    except Failed as problem:
        if _NO_SOLUTION not in problem.message:
            raise
        permit.check()
        progress.step("Not all of this machine's versions exist there: uv chooses them")
        _install(biohive, f'"{file}"')
        return ("What it needs is there in other versions than here: uv chose them.",)
    return ()


def from_requirement(biohive: BioHive, requirement: str, permit: Permit, progress: Progress) -> Sequence[str]:
    """Install what is configured."""
    permit.check()
    progress.step(f"Installing {requirement} on {biohive.target.host}")
    _install(biohive, shlex.quote(requirement))
    return ()


def _put(biohive: BioHive, name: str, content: bytes) -> None:
    script = f'umask 077; d="{_IN_HOME}"; mkdir -p "$d" && cat >"$d/.$1.new" && mv -f "$d/.$1.new" "$d/$1"'
    biohive.ask(scripts.command(script, name), doing=f"copying {name}", timeout=_COPIES, content=content)


def _install(biohive: BioHive, what: str) -> None:
    python = shlex.quote(biohive.part.python)
    options = f"--force --no-progress --reinstall-package mapapp-toolkit --python {python}"
    script = f"{_PATH}; exec uv tool install {options} {what}"
    biohive.ask(scripts.command(script), doing="`uv tool install`", timeout=_INSTALLS)
