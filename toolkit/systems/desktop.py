"""The desktop that the person sits at: is it this machine's, and does it have a browser?"""

from __future__ import annotations

import os
import sys
import webbrowser


def over_ssh() -> bool:
    """Does the person sit at another machine?"""
    return bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))


def has_screen() -> bool:
    """Is there a screen here on which the person would see a window?"""
    if over_ssh():
        return False
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"))


def open_browser(url: str) -> bool:
    """Open `url` in a browser that the person sees; False where there is none."""
    if not has_screen():
        return False
    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False
