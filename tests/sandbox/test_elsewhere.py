"""Before a download it is said where it would be quicker, by what was measured; it is measured for the next one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import Sandbox

from toolkit.environments import loading
from toolkit.sandbox import client
from toolkit.systems import rates


@pytest.fixture
def lab(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The sandbox as an environment that has a BioHive; the link from its bucket to here."""
    text = client.start().config_file.read_text("utf-8")
    text = re.sub(r"\[environments\.sandbox(?=[.\]])", "[environments.lab", text).replace('host = ""', 'host = "bio"')
    file = tmp_path / "lab.toml"
    file.write_text(text, "utf-8")
    monkeypatch.setenv("TOOLKIT_CONFIG", str(file))
    (sandbox.home / "state" / "rates.json").unlink(missing_ok=True)
    return f"{loading.load().settings.environments['lab'].bucket.endpoint} to here"


def note(sandbox: Sandbox, **links: int) -> None:
    """Rates in bytes a second, measured now."""
    at = "2099-01-01T00:00:00+00:00"
    known = {link.replace("_", " "): {"bytes": rate * 10, "seconds": 10.0, "at": at} for link, rate in links.items()}
    (sandbox.home / "state" / "rates.json").write_text(json.dumps(known))


def newest(sandbox: Sandbox) -> str:
    return str(sandbox.run("groups", "list", "--env", "lab", "-o", "json").json()[0]["name"])


def test_it_is_said_before_it_begins(sandbox: Sandbox, lab: str, tmp_path: Path) -> None:
    note(sandbox, **{lab: 5_000, "bucket to bio": 1_000_000})
    group = newest(sandbox)
    words = ("groups", "download", group, "--env", "lab", "--to", str(tmp_path))
    said = f"`toolkit biohive run -- groups download {group} --env lab`"
    assert said in sandbox.run(*words, "--dry-run").err
    ran = sandbox.run(*words)
    assert said in ran.err
    assert "at 5.0 kB/s" in ran.err
    assert said not in sandbox.run(*words).err  # all of it is here


def test_nothing_is_said_without_a_measurement_and_then_there_is_one(
    sandbox: Sandbox, lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "_LEAST_BYTES", 1000)
    monkeypatch.setattr(rates, "_LEAST_SECONDS", 0.0)
    ran = sandbox.run("groups", "download", newest(sandbox), "--env", "lab", "--to", str(tmp_path))
    assert "biohive" not in ran.err
    measured = rates.recall(lab)
    assert measured is not None
    assert measured.bytes > 1_000_000
