"""Every test has its own home: nothing of the developer's configuration, tokens or journal reaches a test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh TOOLKIT_HOME, and none of the variables that the toolkit reads."""
    for name in list(os.environ):
        if name.startswith(("TOOLKIT_", "VAULT_", "KUBECONFIG", "GOOGLE_")):
            monkeypatch.delenv(name)
    directory = tmp_path / "home"
    monkeypatch.setenv("TOOLKIT_HOME", str(directory))
    monkeypatch.chdir(tmp_path)
    return directory
