"""`toolkit sandbox …` and `toolkit demo`, as a user types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Sandbox

from toolkit.sandbox import client
from toolkit.sandbox.scenarios import SCENARIOS


def test_status_says_where_everything_is(sandbox: Sandbox) -> None:
    found = sandbox.run("sandbox", "status", "-o", "json").json()
    assert found["running"] is True
    assert found["scenarios"] == ["healthy"]
    assert all("127." in address for address in found["servers"].values())
    assert "redis proxy of sandbox" in sandbox.run("sandbox", "status").out


def test_scenario_says_what_would_be_reported(sandbox: Sandbox) -> None:
    ran = sandbox.run("sandbox", "scenario", "redis-flushed", "vault-sealed")
    assert "redis-flushed, vault-sealed" in ran.out
    assert "Please reload the groups." in ran.out
    assert sandbox.run("sandbox", "scenario", "healthy", "-o", "json").json()["symptom"] is None


def test_scenario_without_a_name_lists_them_all(sandbox: Sandbox) -> None:
    rows = sandbox.run("sandbox", "scenario", "-o", "json").json()
    assert [row["name"] for row in rows] == ["healthy", *SCENARIOS]
    assert [row["name"] for row in rows if row["on"]] == ["healthy"]


def test_an_unknown_scenario_is_wrong_usage_and_starts_nothing(home: Path, sandbox: Sandbox) -> None:
    ran = sandbox.run("sandbox", "scenario", "redis-flushd", code=2)
    assert "Did you mean 'redis-flushed'?" in ran.err
    assert not (home / "state" / "sandbox" / "world.json").exists()


@pytest.mark.parametrize("arguments", [("scenario", "healthy", "-e", "rp006"), ("start", "--size", "huge")])
def test_wrong_options_are_wrong_usage(sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
    assert sandbox.run("sandbox", *arguments, code=2).out == ""


def test_start_finds_the_one_that_runs(sandbox: Sandbox) -> None:
    assert "runs already" in sandbox.run("sandbox", "start").err


def test_the_groups_of_one_that_runs_do_not_grow(sandbox: Sandbox) -> None:
    assert "small groups runs already" in sandbox.run("sandbox", "start", "--size", "full", code=2).err


def test_stop_and_status_without_a_sandbox(sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_HOME", str(home))
    assert sandbox.run("sandbox", "stop", "-o", "json").json() == {"running": False, "stopped": False}
    assert "No sandbox is running" in sandbox.run("sandbox", "status").out


def test_demo_without_a_terminal_solves_the_case(sandbox: Sandbox) -> None:
    ran = sandbox.spawn("demo")
    assert ran.code == 0, ran.err
    assert "reports: “The Group Label dropdown is empty" in ran.out
    for command in ("groups list", "doctor", "cache rebuild --dry-run", "cache rebuild --plan", "journal list"):
        assert f"$ toolkit {command}" in ran.out
    assert "INFO phenoapp.cache_manager: Done: 3 groups in Redis" in ran.err
    assert "Traceback" not in ran.out + ran.err
    assert "The case is solved." in ran.out
    groups = sandbox.run("groups", "list", "--env", "sandbox", "-o", "json").json()
    assert [group["rank"] for group in groups if group["l2"]["present"]] == [1, 2, 3]
    assert client.status() is not None  # it ran before: so it stays


def test_the_tour_fails_where_a_command_fails(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.cli import demo

    monkeypatch.setattr(demo, "BEFORE", (demo.Stop("This cannot be.", ("groups", "show", "no-such-group")),))
    ran = sandbox.run("demo", "--tour", code=1)
    assert "the tour ends here" in ran.err
    assert "The case is solved." not in ran.out
