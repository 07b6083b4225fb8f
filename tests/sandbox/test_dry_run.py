"""A dry run changes nothing: the world is compared, key by key and object by object, before and after."""

from __future__ import annotations

import fingerprint
import pytest
from conftest import Sandbox

E = ("--env", "sandbox")


@pytest.mark.parametrize(
    "words",
    [
        ("groups", "flush"),
        ("groups", "flush", "--backup", "{home}/never"),
        ("groups", "delete", "{group}"),
        ("cache", "rebuild"),
        ("bucket", "rm", "{group}"),
        ("bucket", "rm", "gs://{bucket}/"),
    ],
)
def test_a_dry_run_changes_nothing(sandbox: Sandbox, words: tuple[str, ...]) -> None:
    group = sandbox.run("groups", "list", *E, "-o", "json").json()[0]["name"]
    values = {"home": str(sandbox.home), "group": group, "bucket": "sandbox-rp006-neuro-cache"}
    before = fingerprint.of("sandbox")
    done_before = sandbox.run("journal", "list", "-o", "json").json()
    assert len(before) > 60
    plan = sandbox.run(*(word.format(**values) for word in words), *E, "--dry-run", "-o", "json").json()
    assert fingerprint.of("sandbox") == before
    assert plan["environment"] == "sandbox"
    assert plan["changes"]
    assert len(plan["plan"]) == 16
    assert plan["undo"]
    assert plan["by_hand"]
    assert plan["expires_at"].endswith("Z")
    assert not (sandbox.home / "never").exists()
    assert sandbox.run("journal", "list", "-o", "json").json() == done_before


def test_the_plan_that_was_shown_is_the_plan_that_is_carried_out(sandbox: Sandbox) -> None:
    group = sandbox.run("groups", "list", *E, "-o", "json").json()[2]["name"]
    plan = sandbox.run("groups", "delete", group, *E, "--dry-run", "-o", "json").json()
    done = sandbox.run("groups", "delete", group, *E, "--plan", plan["plan"], "-o", "json").json()
    assert done["plan"] == plan["plan"]
    assert done["result"] == "done"
    after = {item["name"]: item for item in sandbox.run("groups", "list", *E, "-o", "json").json()}
    assert not after[group]["l2"]["present"]
    assert after[group]["l3"]["present"]


def test_a_world_that_moved_gives_a_new_plan_and_changes_nothing(sandbox: Sandbox) -> None:
    groups = [item["name"] for item in sandbox.run("groups", "list", *E, "-o", "json").json()]
    plan = sandbox.run("groups", "flush", *E, "--dry-run", "-o", "json").json()
    sandbox.run("groups", "delete", groups[2], *E, "--yes")
    before = fingerprint.of("sandbox")
    refused = sandbox.run("groups", "flush", *E, "--plan", plan["plan"], code=5)
    assert "not any more as plan" in refused.err
    assert plan["plan"] not in refused.err.split("--plan")[-1]
    assert fingerprint.of("sandbox") == before


@pytest.mark.parametrize("flag", ["option", "variable", "before"])
def test_read_only_refuses_every_change(sandbox: Sandbox, flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint.of("sandbox")
    if flag == "variable":
        monkeypatch.setenv("TOOLKIT_READ_ONLY", "1")
    front = ("--read-only",) if flag == "before" else ()
    back = ("--read-only",) if flag == "option" else ()
    for words in (("groups", "flush"), ("cache", "rebuild"), ("bucket", "rm", "gs://sandbox-rp006-neuro-cache/")):
        refused = sandbox.run(*front, *words, *E, "--yes", *back, code=5)
        assert "read-only" in refused.err
    assert fingerprint.of("sandbox") == before


def test_without_anybody_there_nothing_happens(sandbox: Sandbox) -> None:
    before = fingerprint.of("sandbox")
    refused = sandbox.spawn("groups", "flush", *E)
    assert refused.code == 5
    assert "--plan" in refused.err
    assert fingerprint.of("sandbox") == before
