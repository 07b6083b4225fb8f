"""Fixtures of the terminal app's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_snapshots import Still


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Still:
    """The made-up world at a moment that does not pass, and what its screens look like."""
    return Still(monkeypatch, tmp_path)
