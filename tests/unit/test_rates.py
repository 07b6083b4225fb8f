"""What is said of how long something takes rests on measurements, and on nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from toolkit import paths
from toolkit.systems import rates
from toolkit.systems.rates import Rate, elsewhere, recall, remember

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SLOW = Rate(60_000_000, 10.0, NOW)
FAST = Rate(1_500_000_000, 10.0, NOW)
GET = "toolkit biohive run -- groups download a"


def test_it_is_said_with_both_measurements() -> None:
    text = elsewhere(18_000_000_000, SLOW, FAST, "bh", GET)
    assert text == f"18.0 GB at 6.0 MB/s = 50m here; on BioHive (bh) 2m at 150 MB/s: `{GET}`"


def test_without_a_measurement_here_nothing_is_said() -> None:
    assert elsewhere(18_000_000_000, None, FAST, "bh", GET) == ""


def test_without_one_there_it_is_said_how_to_have_it() -> None:
    text = elsewhere(18_000_000_000, SLOW, None, "bh", GET)
    assert "50m here" in text
    assert "biohive status" in text


@pytest.mark.parametrize(
    ("count", "there"),
    [(100_000_000, FAST), (18_000_000_000, SLOW), (18_000_000_000, Rate(100_000_000, 10.0, NOW))],
    ids=["short", "no faster", "hardly faster"],
)
def test_what_is_not_worth_the_trouble_is_not_said(count: int, there: Rate) -> None:
    assert elsewhere(count, SLOW, there, "bh", GET) == ""


def test_a_measurement_is_remembered_for_a_month() -> None:
    remember("x", 50_000_000, 5.0)
    remember("y", 10_000_000, 1.0)
    found = recall("x")
    assert found is not None
    assert found.per_second == 10_000_000
    file = paths.state() / "rates.json"
    old = (datetime.now(UTC) - timedelta(days=31)).isoformat(timespec="seconds")
    file.write_text(file.read_text().replace(found.at.isoformat(timespec="seconds"), old))
    assert recall("x") is None


def test_too_little_is_no_measurement() -> None:
    remember("x", 1000, 5.0)
    remember("x", 50_000_000, 0.001)
    assert recall("x") is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 3}', '{"x": {"bytes": "many"}}'])
def test_a_damaged_file_is_no_measurement(text: str) -> None:
    (paths.state() / "rates.json").write_text(text)
    assert recall("x") is None
    remember("x", 50_000_000, 5.0)
    assert recall("x") is not None


def test_links_are_kept_apart() -> None:
    remember(rates.HERE, 50_000_000, 5.0)
    assert recall(rates.on_biohive("bh")) is None
