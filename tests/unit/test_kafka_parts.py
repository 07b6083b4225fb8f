"""Kafka's settings and events without a broker: what librdkafka is told, and what a message says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from toolkit.environments.events import Kafka as Part
from toolkit.errors import ConfigurationError
from toolkit.secret import Secret
from toolkit.systems.kafka.event import read_event
from toolkit.systems.kafka.settings import Account, by_hand, checked, reading, settings

PART: dict[str, Any] = {"bootstrap": "kafka.example.com:9093", "topic": "t", "vault_path": "phenoapp/kafka"}
PASSWORD = "a-password-in-vault"


def told(part: Part, account: Account | None = None) -> dict[str, Any]:
    return settings(part, account or Account("me", Secret(PASSWORD)), lambda _: None)


def test_sasl_over_tls_from_vault(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("x")
    found = told(Part(**PART, ca_file=str(authority)))
    assert found["security.protocol"] == "SASL_SSL"
    assert found["sasl.mechanism"] == "SCRAM-SHA-512"
    assert (found["sasl.username"], found["sasl.password"]) == ("me", PASSWORD)
    assert found["ssl.ca.location"] == str(authority)


def test_a_clients_certificate_and_no_password() -> None:
    part = Part(**PART, security_protocol="SSL", certificate_field="crt", key_field="key")
    checked(part)
    found = told(part, Account(certificate="PEM", key=Secret("the-key-in-pem")))
    assert (found["ssl.certificate.pem"], found["ssl.key.pem"]) == ("PEM", "the-key-in-pem")
    assert not [key for key in found if key.startswith("sasl")]


def test_whoever_reads_commits_nothing() -> None:
    found = reading(told(Part(**PART)))
    assert found["enable.auto.commit"] is False
    assert found["enable.auto.offset.store"] is False
    assert found["allow.auto.create.topics"] is False


def test_the_time_limit_is_what_is_configured() -> None:
    found = told(Part(**PART, timeout_seconds=3))
    assert found["socket.timeout.ms"] == found["socket.connection.setup.timeout.ms"] == 3000


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"bootstrap": ""}, "kafka.bootstrap is empty"),
        ({"topic": ""}, "kafka.topic is empty"),
        ({"vault_path": ""}, "there is no account"),
        ({"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN"}, "in the clear"),
        ({"certificate_field": "crt"}, "Only one of"),
    ],
)
def test_what_cannot_work_is_said(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        checked(Part(**{**PART, **more}))
    assert raised.value.hint


def test_the_command_by_hand_has_no_password() -> None:
    command = by_hand(Part(**PART), "vault kv get -field=password secret/phenoapp/kafka", "-C", "-t t")
    assert "-field=username secret" in command
    assert "-field=password secret" in command
    assert PASSWORD not in command
    assert by_hand(Part(**{**PART, "security_protocol": "PLAINTEXT"}), "", "-C").startswith("kcat -b ")


@pytest.mark.parametrize(
    ("value", "field", "group", "problem"),
    [
        (b'{"group": "g1"}', "group", "g1", ""),
        (b'{"data": {"name": "g1"}}', "data.name", "g1", ""),
        (b'{"group": "g1"}', "", "the-key", ""),
        (b'{"group": 7}', "group", "the-key", "has no text at group"),
        (b'{"data": "x"}', "data.name", "the-key", "has no text at data.name"),
        (b'\x00\x00\x00\x00\x07{"group": "g1"}', "group", "g1", ""),
        (b'["g1"]', "group", "the-key", "is no JSON object (6 bytes)"),
        (b"\xff\xfe", "group", "the-key", "is no JSON object (2 bytes)"),
        (b"[" * 100_000, "group", "the-key", "is no JSON object (100000 bytes)"),
        (None, "group", "the-key", "is a tombstone: it has no value"),
    ],
)
def test_the_group_that_a_message_names(value: bytes | None, field: str, group: str, problem: str) -> None:
    event = read_event(1, 2, (1, 1_700_000_000_500), b"the-key", value, field)
    assert (event.group, event.problem) == (group, problem)
    assert event.time == datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)
    assert event.place == "1:2"


@pytest.mark.parametrize("stamp", [(0, -1), (1, -1), (2, 2**62)])
def test_a_time_that_is_none(stamp: tuple[int, int]) -> None:
    assert read_event(0, 0, stamp, None, b"{}", "").time is None
