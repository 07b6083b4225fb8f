"""What the side panel shows, and how old that may be: GO terms (cached weekly), and the benchmark database."""

from __future__ import annotations

from typing import Literal

from toolkit.environments.part import Part


class SidePanel(Part, frozen=True):
    """The cached GO (Gene Ontology) terms, and when they are due.

    `go_terms` names what is written anew at each run: an object of `bucket` (empty: the L3 bucket), whose time counts;
    or with `kept_in` redis a key whose value is the time itself (seconds since the epoch, or RFC 3339). `schedule` is a
    cron expression in the environment's time zone; the run has `hours` to be done.
    """

    kept_in: Literal["bucket", "redis"] = "bucket"
    bucket: str = ""
    go_terms: str = "side-panel/go-terms.json"
    schedule: str = "0 22 * * 1"
    hours: float = 10.0


class WatchedTable(Part, frozen=True):
    """A table ([schema.]name) whose newest row is looked at, by `column`: a time or a date. `days`: older is stale."""

    table: str
    column: str
    days: float = 8.0


class BenchmarkDb(Part, frozen=True):
    """The benchmark database, PostgreSQL. `address` is host:port; `vault_path` says where the account lies in Vault.

    `configome_key` is what has to be changed in configome before it lets a workstation in, as far as that is known.
    """

    address: str = ""
    database: str = ""
    vault_path: str = ""
    username_field: str = "username"
    password_field: str = "password"  # noqa: S105 - a field's name
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "verify-full"
    ca_file: str = ""
    tables: tuple[WatchedTable, ...] = ()
    configome_key: str = ""
    timeout_seconds: float = 5.0
