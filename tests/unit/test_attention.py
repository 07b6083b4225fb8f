"""What needs a human, out of findings: one line each, the most urgent first, with the runbook that leads on."""

from __future__ import annotations

from typing import Any

from toolkit.checks.attention import Item, items
from toolkit.checks.diagnosis.causes import CAUSES
from toolkit.checks.finding import Finding, Status
from toolkit.walkthrough.library import library

HOPS = ("vault", "redis-token", "redis", "bucket", "cache-manager")


def found(name: str, status: Status, summary: str = "so it is", **facts: Any) -> Finding:
    return Finding(name, status, summary, facts=facts)


def told(*findings: Finding, more: tuple[Item, ...] = ()) -> list[tuple[str, str]]:
    return [(item.name, item.runbook) for item in items({one.name: one for one in findings}, HOPS, more)]


def test_well_is_nothing_to_do() -> None:
    assert told(*(found(name, Status.OK) for name in HOPS)) == []
    assert told(found("recent-changes", Status.WARN), found("vault", Status.SKIPPED)) == []


def test_of_broken_hops_the_first_stands_for_all() -> None:
    broken = [found(name, Status.FAIL) for name in ("redis", "redis-token")]
    [item] = items({one.name: one for one in broken}, HOPS)
    assert item.name == "redis-token"
    assert item.text.startswith("redis-token (and 1 more hop after it)")
    assert item.runbook == "connect-to-redis"


def test_what_cannot_be_answered_behind_a_broken_hop_is_not_said_too() -> None:
    assert told(found("redis", Status.FAIL), found("groups-complete", Status.UNKNOWN)) == [
        ("redis", "connect-to-redis")
    ]
    assert told(found("groups-complete", Status.UNKNOWN)) == [("groups-complete", "reload-the-groups")]


def test_the_most_urgent_comes_first() -> None:
    more = (Item("vault-token", Status.WARN, "ends soon"), Item("journal", Status.FAIL, "cut off"))
    names = [name for name, _ in told(found("bucket", Status.UNKNOWN), found("clock", Status.WARN), more=more)]
    assert names == ["journal", "bucket", "clock", "vault-token"]


def test_each_runbook_is_one_that_is_shipped() -> None:
    from toolkit.checks import attention

    shipped = set(library().files())
    assert set(attention._RUNBOOKS.values()) <= shipped
    mends = {mend.name for cause in CAUSES for mend in cause.mends if mend.kind == "runbook"}
    assert mends <= shipped


def test_a_cause_is_said_in_its_words() -> None:
    image = found(
        "image",
        Status.FAIL,
        match="drifted",
        since=None,
        sync="",
        running=["phenoapp/cache-manager:v1"],
        wanted=["phenoapp/cache-manager:v2"],
    )
    [item] = items({"image": image}, HOPS)
    assert (item.name, item.runbook) == ("image-drift", "is-it-the-right-image")
    assert item.text == "Image v1 runs, trunk asks for v2"
    assert item.findings == (image,)
