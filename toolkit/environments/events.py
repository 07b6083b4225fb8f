"""Where the events are: the Kafka topic on which phenoservice tells that a group was created."""

from __future__ import annotations

from typing import Literal

from toolkit.environments.part import Part


class Kafka(Part, frozen=True):
    """The brokers (`bootstrap`: host:port,host:port), and the `topic` of the group-created events.

    `vault_path` says where the account lies in the environment's Vault: a user's name and password (SASL), or a
    client's certificate and key in PEM (`certificate_field`, `key_field`; for TLS that asks for one). `group_field` is
    where the group's name stands in an event's JSON (dots lead inside), empty: the message's key. The lag of
    `consumer_groups` is looked at; `search_days` is how far back a search goes where nothing else is said.
    """

    bootstrap: str = ""
    topic: str = ""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "SASL_SSL"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    vault_path: str = ""
    username_field: str = "username"
    password_field: str = "password"  # noqa: S105 - a field's name
    certificate_field: str = ""
    key_field: str = ""
    ca_file: str = ""
    group_field: str = "group"
    consumer_groups: tuple[str, ...] = ()
    search_days: float = 90.0
    timeout_seconds: float = 10.0
