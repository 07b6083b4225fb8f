"""A case that is handed to a colleague as one file, and walked on there: on the sandbox, as it is typed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Sandbox

from toolkit.walkthrough.record import Record

GROUP = "rp006_1999w01"


@pytest.fixture
def other_machine(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """From here on it is a colleague's account, with the same sandbox and no cases."""
    yield
    forget_the_cases(sandbox)


def forget_the_cases(sandbox: Sandbox) -> None:
    for file in (sandbox.home / "state").glob("cases.sqlite*"):
        file.unlink()


def become_a_colleague(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_the_cases(sandbox)
    monkeypatch.setattr("getpass.getuser", lambda: "bo")


def test_a_colleague_goes_on_where_it_was(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_machine: None
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ana")
    sandbox.scenario("token-rotated")
    ran = sandbox.run("runbook", "run", "connect-to-redis", "--env", "sandbox", "-o", "json", code=5)
    case = ran.json()["case"]
    assert ran.json()["here"]["step"] == "redis-does-not-answer"
    file = str(tmp_path / "case.zip")
    written = sandbox.run("runbook", "report", case, "--bundle", file, "-o", "json")
    assert sorted(written.json()["entries"]) == [
        "bundle.json",
        "case.json",
        "report.md",
        "runbooks/connect-to-redis.md",
    ]
    assert "toolkit runbook resume case.zip" in written.err
    assert "exists" in sandbox.run("runbook", "report", case, "--bundle", file, code=2).err
    assert f"your own case {case}" in sandbox.run("runbook", "resume", file, code=5).err

    become_a_colleague(sandbox, monkeypatch)
    sandbox.scenario("healthy")
    ran = sandbox.run("runbook", "resume", file, "--jump", "look-into-it", "-o", "json", code=5)
    mine = ran.json()["case"]
    assert mine != case
    assert ran.json()["origin"]["case"] == case
    assert ran.json()["origin"]["who"].startswith("ana@")
    assert f"now case {mine} of yours" in ran.err
    statuses = {one["name"]: one["status"] for one in ran.json()["findings"]}
    assert statuses["redis"] == "ok", "it is asked again, and answers by now"
    text = sandbox.run("runbook", "report", mine).out
    assert "| ana@" in text
    assert "| bo@" in text
    assert "asked again: redis: ok" in text

    ran = sandbox.run("runbook", "resume", file, "--done", "looked", "-o", "json")
    assert "it came at" in ran.err
    assert (ran.json()["case"], ran.json()["result"]) == (mine, "well")
    [listed] = sandbox.run("runbook", "resume", "-o", "json").json()
    assert listed["from"].startswith("ana@")


def test_a_script_follows_no_text_that_somebody_sent(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_machine: None
) -> None:
    page = tmp_path / "mine" / "flush-it.md"
    page.parent.mkdir()
    page.write_text("---\ntitle: T\nsymptom: S\n---\n## Ask\nAsk them.\n## Flush\n```action groups.flush\n```\n")
    ran = sandbox.run("runbook", "run", str(page), "--env", "sandbox", "-o", "json", code=5)
    sandbox.run("runbook", "report", ran.json()["case"], "--bundle", str(tmp_path / "case.zip"))
    become_a_colleague(sandbox, monkeypatch)
    ran = sandbox.run("runbook", "resume", str(tmp_path / "case.zip"), "--done", "x", "--yes", code=5)
    assert "Its text of flush-it is not what you have" in ran.err
    assert Record().cases()[0].here == ("flush-it", "ask")


def test_a_file_that_is_no_bundle_is_said_so(sandbox: Sandbox, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "holiday.zip", "w") as packed:
        packed.writestr("beach.jpg", "x")
    before = len(Record().cases())
    refused = sandbox.run("runbook", "resume", str(tmp_path / "holiday.zip"), code=5)
    assert "it has no bundle.json" in refused.err
    assert "Traceback" not in refused.err
    sandbox.run("runbook", "resume", str(tmp_path / "gone.zip"), code=1)
    assert len(Record().cases()) == before
