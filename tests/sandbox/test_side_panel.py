"""`toolkit side-panel check`: GO terms in a bucket or in Redis, of the last Monday night or older."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import Sandbox
from msgspec.structs import replace
from outside import Outside

from toolkit.checks import questions, side_panel
from toolkit.checks.finding import Finding
from toolkit.checks.runner import run
from toolkit.environments import loading
from toolkit.environments.side_panel import SidePanel
from toolkit.errors import ConfigurationError, Failed
from toolkit.progress import Progress
from toolkit.sandbox import client
from toolkit.systems.connections import Connections

E = ("--env", "sandbox")
PART = SidePanel()
DENVER = "America/Denver"


def asked(**values: Any) -> Finding:
    """The finding about the GO terms, where the side panel is configured otherwise."""
    settings = loading.load(sandbox=client.start().config_file).settings
    environment = settings.environments["sandbox"]
    changed = replace(environment, side_panel=replace(environment.side_panel, **values))
    connections = Connections(changed, settings)
    try:
        return side_panel.go_terms(connections, {}, Progress())
    finally:
        connections.close()


def test_the_terms_of_the_last_monday_night(sandbox: Sandbox) -> None:
    ran = sandbox.run("side-panel", "check", *E, "-o", "json").json()
    terms, database = ran["checks"]
    assert (terms["name"], terms["status"], terms["facts"]["stale"]) == ("go-terms", "ok", False)
    generated = datetime.fromisoformat(terms["facts"]["generated"])
    due = datetime.fromisoformat(terms["facts"]["due"])
    assert due < generated < due + timedelta(hours=10)
    assert datetime.now(UTC) - due < timedelta(days=8)
    assert terms["facts"]["where"] == "gs://sandbox-rp006-side-panel/side-panel/go-terms.json"
    assert (database["name"], database["status"]) == ("benchmark-db", "skipped")


def test_terms_that_are_older_are_stale(sandbox: Sandbox) -> None:
    # Due every minute since: those of Monday night are older than the last of them.
    found = asked(schedule="* * * * *", hours=0)
    assert (str(found.status), found.facts["stale"]) == ("fail", True)
    assert "brought none" in found.summary
    assert found.hint


def test_terms_that_are_not_there_are_not_known(sandbox: Sandbox) -> None:
    found = asked(go_terms="nowhere.json")
    assert (str(found.status), found.facts["generated"], found.facts["stale"]) == ("unknown", None, None)
    assert "side_panel.go_terms" in found.hint


def test_a_redis_key_that_holds_the_time(sandbox: Sandbox) -> None:
    now = datetime.now(UTC)
    with Outside().redis() as connection:
        connection.set("go-terms:generated", int(now.timestamp()))
        found = asked(kept_in="redis", go_terms="go-terms:generated")
        assert str(found.status) == "ok"
        assert found.facts["where"] == "Redis, key go-terms:generated"
        connection.set("go-terms:generated", (now - timedelta(days=20)).isoformat())
        assert str(asked(kept_in="redis", go_terms="go-terms:generated").status) == "fail"
        connection.set("go-terms:generated", "soon")
        with pytest.raises(Failed, match="holds no time"):
            asked(kept_in="redis", go_terms="go-terms:generated")
        connection.delete("go-terms:generated")
    assert str(asked(kept_in="redis", go_terms="go-terms:generated").status) == "unknown"


@pytest.mark.parametrize(
    ("faults", "elsewhere"),
    [({}, "http://127.0.0.1:1"), ({"latency": 30}, ""), ({"failing": [403] * 50}, ""), ({}, "vault")],
    ids=["down", "slow", "refusing", "nonsense"],
)
def test_a_storage_on_a_bad_day_is_unknown_with_a_next_step(
    sandbox: Sandbox, faults: dict[str, Any], elsewhere: str
) -> None:
    settings = loading.load(sandbox=client.start().config_file).settings
    environment = settings.environments["sandbox"]
    where = environment.vault.address if elsewhere == "vault" else elsewhere or environment.bucket.endpoint
    bucket = replace(environment.bucket, endpoint=where, timeout_seconds=1)
    connections = Connections(replace(environment, bucket=bucket), settings)
    client.set_faults("storage", faults)
    try:
        (found,) = run([questions.check("go-terms", connections, {})])
    finally:
        client.set_faults("storage", None)
        connections.close()
    assert str(found.status) == "unknown", found
    assert found.summary
    assert found.hint


@pytest.mark.parametrize(
    ("now", "due", "following"),
    [
        # Tuesday 09:00 in Denver: the night is over.
        ("2026-11-24T16:00:00Z", "2026-11-24T05:00:00Z", "2026-12-01T05:00:00Z"),
        # Tuesday 07:59: it still has a minute; those of last week will do.
        ("2026-11-24T14:59:00Z", "2026-11-17T05:00:00Z", "2026-12-01T05:00:00Z"),
        # Monday 21:59.
        ("2026-11-24T04:59:00Z", "2026-11-17T05:00:00Z", "2026-11-24T05:00:00Z"),
        # The week in which the clocks were put back: 22:00 was UTC-6 before it.
        ("2026-10-30T12:00:00Z", "2026-10-27T04:00:00Z", "2026-11-03T05:00:00Z"),
    ],
)
def test_monday_nights(now: str, due: str, following: str) -> None:
    found = side_panel.due_times(PART, DENVER, datetime.fromisoformat(now))
    assert found == (datetime.fromisoformat(due), datetime.fromisoformat(following))


def test_a_schedule_or_zone_that_is_none() -> None:
    with pytest.raises(ConfigurationError, match=r"side_panel\.schedule"):
        side_panel.due_times(replace(PART, schedule="monday"), DENVER, datetime.now(UTC))
    with pytest.raises(ConfigurationError, match="no time zone"):
        side_panel.due_times(PART, "Mars/Olympus", datetime.now(UTC))


@pytest.mark.parametrize("text", ["1795500000", "1795500000.0", "1795500000000", '"2026-11-24T06:00:00+00:00"'])
def test_times_as_programs_write_them(text: str) -> None:
    assert side_panel.read_time(text.encode(), "key") == datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
