"""Where the toolkit keeps its own files: configuration, state (journal, plans, sandbox) and cache.

`TOOLKIT_HOME` puts all of them under one folder; otherwise each has the place that the operating system gives it.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_NAME = "mapapp-toolkit"


def _home() -> Path | None:
    home = os.environ.get("TOOLKIT_HOME")
    return Path(home).expanduser().resolve() if home else None


def config_file() -> Path:
    """The user's configuration file (it need not exist). `TOOLKIT_CONFIG` names another."""
    named = os.environ.get("TOOLKIT_CONFIG")
    if named:
        return Path(named).expanduser()
    home = _home()
    return (home / "config" if home else platformdirs.user_config_path(_NAME, appauthor=False)) / "toolkit.toml"


def state() -> Path:
    """Journal, plans and the sandbox's world; private to the user."""
    home = _home()
    return _private(home / "state" if home else platformdirs.user_state_path(_NAME, appauthor=False))


def cache() -> Path:
    """What can be made again: clones, indexes."""
    home = _home()
    return _private(home / "cache" if home else platformdirs.user_cache_path(_NAME, appauthor=False))


def _private(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
