"""`toolkit runbook` as it is typed, on the sandbox: an action through the gate, a script that stops and goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import Sandbox

from toolkit.actions.journal import Journal
from toolkit.checks import questions
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Question
from toolkit.progress import Progress
from toolkit.systems.connections import Connections

PAGE = """---
title: Clean slate
symptom: Redis holds what it should not.
inputs:
  - {name: group, prompt: "Which group?", kind: group}
---
## Count
```check groups-there
```
## Delete
```action groups.delete
group: "{{ group }}"
```
## Tell
Tell the users that {{ group }} is gone.
"""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def count(connections: Connections, _: Mapping[str, str], progress: Progress) -> Finding:
        from toolkit.cache import layers

        found = layers.read_l2(connections.redis, connections.environment.cache)
        return Finding("groups-there", Status.OK, f"{len(found.index)} groups")

    known = {"groups-there": Question("groups-there", "", count)}
    monkeypatch.setattr(questions, "QUESTIONS", known)
    monkeypatch.setenv("TOOLKIT_RUNBOOKS", str(tmp_path))
    file = tmp_path / "clean-slate.md"
    file.write_text(PAGE)
    return file


def test_a_script_acts_through_the_gate_and_stops_where_a_person_is_needed(sandbox: Sandbox, page: Path) -> None:
    group = sandbox.run("groups", "list", "--env", "sandbox", "-o", "json").json()[2]["name"]
    ran = sandbox.run(
        "runbook", "run", "clean-slate", "--set", f"group={group}", "--env", "sandbox", "-o", "json", code=5
    )
    case = ran.json()["case"]
    assert ran.json()["here"]["step"] == "delete"
    assert "--plan" in ran.json()["stopped"]["hint"]
    assert f"toolkit runbook resume {case}" in ran.err

    ran = sandbox.run("runbook", "resume", case, "--yes", "-o", "json", code=5)
    [acted] = ran.json()["actions"]
    assert (acted["action"], acted["result"]) == ("groups.delete", "done")
    operation, _ = Journal().operation(acted["operation"])
    assert operation.plan == acted["plan"]
    assert ran.json()["here"]["step"] == "tell"

    ran = sandbox.run("runbook", "resume", case, "--done", "told them", "-o", "json")
    assert ran.json()["result"] == "well"
    assert [(step["step"], step["state"], step["visits"]) for step in ran.json()["steps"]] == [
        ("count", "done", 1),
        ("delete", "done", 1),
        ("tell", "done", 1),
    ]
    text = sandbox.run("runbook", "report", case).out
    assert f"plan `{acted['plan']}`" in text
    assert "told them" in text


def test_what_is_typed_wrongly_is_said_before_anything_begins(sandbox: Sandbox, page: Path) -> None:
    assert "Did you mean 'clean-slate'" in sandbox.run("runbook", "run", "clean-slat", code=1).err
    assert "Did you mean 'group'" in sandbox.run("runbook", "run", "clean-slate", "--set", "groop=a", code=2).err
    before = len(sandbox.run("runbook", "resume", "-o", "json").json())
    page.write_text(PAGE.replace("groups.delete", "groups.delet"))
    linted = sandbox.run("runbook", "lint", str(page), code=1)
    assert linted.out.strip() == f"{page}:11:1: unknown action 'groups.delet': did you mean 'groups.delete'?"
    assert len(sandbox.run("runbook", "resume", "-o", "json").json()) == before


def test_read_only_holds_in_a_walk_too(sandbox: Sandbox, page: Path) -> None:
    ran = sandbox.run(
        "runbook", "run", "clean-slate", "--set", "group=a", "--env", "sandbox", "--yes", "--read-only", code=5
    )
    assert "read-only" in ran.err
