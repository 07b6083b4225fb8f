"""Every test has its own home: nothing of the developer's configuration, tokens or journal reaches a test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from toolkit import secret

# The many programs that tests start are compiled once, as a user's are, and not anew each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How fast an example is made and run says nothing on a machine that is busy with four other tests.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")


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


@pytest.fixture(autouse=True)
def own_secrets() -> Iterator[None]:
    """What a test holds as a secret is scrubbed from the texts of that test alone."""
    before = set(secret._known)
    yield
    secret._known.clear()
    secret._known.update(before)
