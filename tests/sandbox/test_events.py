"""`toolkit events` on the sandbox's broker: what was created when, what is still to come, and every bad day."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from conftest import Sandbox
from msgspec.structs import replace
from outside import Outside, until

from toolkit.checks import group_events
from toolkit.environments import loading
from toolkit.errors import ToolkitError
from toolkit.progress import Progress
from toolkit.sandbox import client
from toolkit.systems.connections import Connections

E = ("--env", "sandbox")


def opened(**kafka: Any) -> Connections:
    """The sandbox's systems, with Kafka configured otherwise; it waits for no answer longer than 2 s."""
    settings = loading.load(sandbox=client.start().config_file).settings
    environment = settings.environments["sandbox"]
    part = replace(environment.kafka, **{"timeout_seconds": 2.0, **kafka})
    return Connections(replace(environment, kafka=part), settings)


def asked(name: str = "built-since-rebuild", **kafka: Any) -> tuple[ToolkitError | None, Any]:
    """The error of a check, or its finding."""
    connections = opened(**kafka)
    ask = {"built-since-rebuild": group_events.built_since, "consumer-lag": group_events.consumer_lag}[name]
    try:
        return None, ask(connections, {}, Progress())
    except ToolkitError as error:
        return error, None
    finally:
        connections.close()


@pytest.fixture
def broken() -> Iterator[Any]:
    """Switches something wrong with the broker, until the test is over."""
    yield lambda **faults: client.set_faults("kafka", faults)
    client.set_faults("kafka", None)


def test_each_group_has_an_event_of_the_time_at_which_it_was_built(sandbox: Sandbox) -> None:
    rows = sandbox.run("events", "tail", *E, "-o", "json").json()
    world = Outside()
    with world.redis() as connection:
        scores = {name.decode(): at for name, at in connection.zrange("available-groups", 0, -1, withscores=True)}
    times = {row["group"]: row["time"] for row in rows}
    assert len(times) == 5
    assert set(scores) <= set(times)
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert {name: datetime.fromisoformat(times[name]).timestamp() for name in scores} == scores
    assert rows[0]["document"]["source"] == "phenoservice-api"


def test_the_last_ones_by_number(sandbox: Sandbox) -> None:
    every = sandbox.run("events", "tail", *E, "-o", "plain").out.splitlines()
    assert sandbox.run("events", "tail", "-n", "2", *E, "-o", "plain").out.splitlines() == every[-2:]
    assert sandbox.run("events", "tail", "-n", "0", *E, "-o", "plain").out == ""


def test_found_by_group_and_by_time(sandbox: Sandbox) -> None:
    rows = sandbox.run("events", "tail", *E, "-o", "json").json()
    third = rows[2]
    found = sandbox.run("events", "find", third["group"], *E, "-o", "json").json()
    assert found == [third]
    week = third["group"].split("_")[1]
    assert sandbox.run("events", "find", week.upper(), *E, "-o", "json").json() == [third]
    between = ("--since", third["time"], "--until", rows[4]["time"])
    assert sandbox.run("events", "find", *between, *E, "-o", "json").json() == rows[2:4]
    ran = sandbox.run("events", "find", week, "--exact", *E, code=1)
    assert "No event of" in ran.out


def test_followed_until_ctrl_c_and_nothing_is_missed_when_the_broker_was_away(sandbox: Sandbox) -> None:
    command = [sys.executable, "-m", "toolkit", "events", "tail", "-f", "-n", "1", *E, "-o", "plain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines: list[str] = []
        said: list[str] = []
        readers = [
            threading.Thread(target=lambda s=stream, to=to: to.extend(iter(s.readline, "")), daemon=True)
            for stream, to in ((process.stdout, lines), (process.stderr, said))
        ]
        for reader in readers:
            reader.start()
        try:
            until(lambda: len(lines) == 1, "the last event is shown")
            client.set_faults("kafka", {"refuse": True})
            until(lambda: "nothing is missed" in "".join(said), "that the broker is away is said")
            client.set_faults("kafka", None)
            until(lambda: "answers again" in "".join(said), "that it is back is said")
            client.apply_scenario(["not-rebuilt-since-built"])  # begins anew: five events, and the sixth
            until(lambda: any("lighting_corrected" in line for line in lines), "the new event is shown")
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        for reader in readers:
            reader.join(10)
    assert "Traceback" not in "".join([*lines, *said])


def test_without_an_end_there_is_no_json_document(sandbox: Sandbox) -> None:
    assert "-o jsonl" in sandbox.run("events", "tail", "-f", *E, "-o", "json", code=2).err


def test_consumers_that_keep_up_and_one_that_is_behind(sandbox: Sandbox, broken: Any) -> None:
    found = sandbox.run("events", "lag", *E, "-o", "json").json()
    assert [(one["name"], one["behind"]) for one in found] == [("rp006-group-notifier", 0), ("rp006-cache-warmer", 0)]
    assert sum(part["end"] for part in found[0]["partitions"]) == 5
    broken(behind=1)
    found = sandbox.run("events", "lag", *E, "-o", "json", code=1).json()
    assert {one["behind"] for one in found} == {3}


def test_a_consumer_group_that_is_not_there_is_not_said_to_keep_up(sandbox: Sandbox) -> None:
    _, finding = asked("consumer-lag", consumer_groups=("rp006-group-notifier", "no-such-group"))
    assert (str(finding.status), finding.facts["groups"][1]["behind"]) == ("unknown", None)
    assert "no-such-group" in finding.summary
    assert finding.hint


def test_a_group_built_after_the_rebuild_until_the_next_one(sandbox: Sandbox) -> None:
    client.apply_scenario(["not-rebuilt-since-built"])
    group = sandbox.run("events", "tail", "-n", "1", *E, "-o", "json").json()[0]["group"]
    world = Outside()
    assert group not in world.groups()
    assert not [path for path in world.objects() if path.startswith(group)]
    why = sandbox.run("why", "--group", group, *E, "-o", "json", code=1).json()
    (cause,) = why["verdict"]["causes"]
    assert (cause["cause"], cause["confidence"]) == ("not-rebuilt-since-built", 0.95)
    assert {"action": "cache.rebuild", "command": "toolkit cache rebuild --env sandbox"} in cause["mend"]
    shown = sandbox.run("why", "--group", group, *E, code=1).out
    assert "Kafka has its group-created event" in shown
    assert "No layer holds" not in shown
    sandbox.run("cache", "rebuild", *E, "--yes")
    assert world.groups()[-1] == group
    assert "not-rebuilt-since-built" in [
        one["cause"] for one in sandbox.run("why", "--group", group, *E, "-o", "json", code=None).json()["ruled_out"]
    ]


def test_a_pert_that_no_group_has_may_be_in_the_one_that_is_not_cached(sandbox: Sandbox) -> None:
    client.apply_scenario(["not-rebuilt-since-built", "never-screened"])
    found = sandbox.run("why", "CFTR", *E, "-o", "json", code=1).json()["verdict"]["causes"]
    assert {one["cause"]: one["confidence"] for one in found} == {
        "not-rebuilt-since-built": 0.4,
        "never-screened": 0.85,
    }


def test_without_kafka_the_other_causes_are_still_told(sandbox: Sandbox) -> None:
    connections = opened(bootstrap="")
    try:
        finding = group_events.built_since(connections, {"group": "x"}, Progress())
    finally:
        connections.close()
    assert (str(finding.status), finding.facts["configured"]) == ("skipped", False)


@pytest.mark.parametrize(
    ("faults", "words", "code"),
    [
        ({"refuse": True}, "cannot be reached", 3),
        ({"hang": True}, "did not answer within 2 s", 3),
        ({"nonsense": True}, "is not Kafka", 3),
        ({"forbidden": True}, "does not let the account read the topic", 4),
        ({"no_leader": True}, "has no leader for a partition", 3),
        ({"no_topics": True}, "has no topic rp006.phenoservice.group-created", 1),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_every_bad_day_has_its_reason_and_a_next_step(
    sandbox: Sandbox, broken: Any, faults: dict[str, Any], words: str, code: int
) -> None:
    broken(**faults)
    error, _ = asked()
    assert error is not None
    assert words in error.message
    assert error.hint
    assert error.by_hand[0].startswith("kcat -F <(")
    assert error.exit_code == code
    why = sandbox.run("why", "--group", "rp006_2026w01_nobody", *E, "-o", "json", code=3).json() if code == 4 else None
    if why is not None:
        finding = next(one for one in why["findings"] if one["check"] == "built-since-rebuild")
        assert finding["status"] == "unknown"


def test_nobody_listens_there(sandbox: Sandbox) -> None:
    error, _ = asked(bootstrap="127.0.0.1:1")
    assert error is not None
    assert "Connection refused" in error.message


def test_a_password_that_was_changed(sandbox: Sandbox) -> None:
    world = Outside()
    token = world.vault("secret/data/phenoapp/kafka")[1]["data"]["data"]
    assert token["username"] == "on-call"
    error, _ = asked(password_field="username")
    assert error is not None
    assert error.exit_code == 4
    assert "does not take the account" in error.message
    assert "Invalid username or password" in error.message


def test_a_certificate_of_an_authority_that_is_not_known(sandbox: Sandbox) -> None:
    error, _ = asked(ca_file="")
    assert error is not None
    assert "certificate that is not trusted" in error.message
    error, _ = asked(ca_file=os.devnull + ".none")
    assert error is not None
    assert error.exit_code == 2


def test_an_account_that_vault_does_not_have(sandbox: Sandbox) -> None:
    error, _ = asked(vault_path="phenoapp/no-such-thing")
    assert error is not None
    assert "kafka.vault_path" in error.message + error.hint
