"""Runbooks in the terminal app, on the sandbox: a walk from the catalogue to its end, left, resumed, and reported."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from test_tui_sandbox import _healthy, on_sandbox, world_home  # noqa: F401 - fixtures
from tui_driving import Driver

from toolkit.actions.journal import Journal
from toolkit.walkthrough.record import Record

ASKING = """---
title: Which way
symptom: 00 somebody asks which way.
inputs:
  - name: pert
    prompt: Which pert?
    kind: pert
---

# Which way

## See whether it is there

```check pert-in-cache
pert: "{{ pert }}"
```

```choose
- say: It goes left
  go: left
- say: It goes right
  go: end
```

## Left

Nothing to see here, about {{ pert }}.
"""


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "which-way.md").write_text(ASKING, "utf-8")
    monkeypatch.setenv("TOOLKIT_RUNBOOKS", str(folder))


async def _catalogue(app: Driver) -> None:
    await app.see("nothing needs you")
    await app.press("6")
    await app.see("00 somebody asks", "Cases")


async def test_a_walk_asks_checks_branches_and_ends_with_a_report(asking: None) -> None:
    async with on_sandbox() as app:
        await _catalogue(app)
        await app.press("enter")
        await app.see("Which pert?")
        await app.press("enter")
        await app.see("pert is needed: Which pert?")
        await app.type("BRCA1")
        await app.press("enter")
        await app.gone("pert is needed")
        await app.see("✓ ok      pert-in-cache", "1/2  See whether it is there", "1 It goes left")
        await app.press("1")
        await app.see("2/2  Left", "about BRCA1", "✓ See whether it is there", "● Left")
        await app.press("n")
        await app.see("A note:")
        await app.type("all right")
        await app.press("enter")
        await app.see("✓ All is well.")
        await app.press("p")
        await app.see("Report of case", "Which way")
        await app.press("escape", "escape")
        await app.see("✓ all is well", "which-way")
        (case,) = [one for one in Record().cases() if one.runbook == "which-way" and one.result]
        assert [step.note for step in Record().steps(case.id)][-1] == "all right"


async def test_left_in_mid_way_a_case_waits_and_goes_on(asking: None) -> None:
    async with on_sandbox() as app:
        await _catalogue(app)
        await app.press("enter")
        await app.see("Which pert?")
        await app.type("TP53")
        await app.press("enter")
        await app.see("1 It goes left")
        await app.press("escape")
        await app.see("● see-whether-it-is-there", "TP53")
        await app.press("tab", "enter")
        await app.see("1/2  See whether it is there", "2 It goes right")
        await app.press("2")
        await app.see("has ended")


async def test_an_action_is_carried_out_only_through_the_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    text = "---\ntitle: Empty it\nsymptom: 00 empty it.\n---\n\n# Empty it\n\n## Flush\n\n```action groups.flush\n```\n"
    (folder / "empty-it.md").write_text(text, "utf-8")
    monkeypatch.setenv("TOOLKIT_RUNBOOKS", str(folder))
    async with on_sandbox() as app:
        await app.see("nothing needs you")
        await app.press("6")
        await app.see("00 empty it.")
        await app.press("enter")
        await app.see("▶ groups.flush")
        before = len(Journal().operations())
        app.app.operation = SimpleNamespace(name="cache.rebuild", ongoing=True, over=False, seconds=1.0)  # type: ignore[assignment]
        await app.press("enter")
        await app.see("cache.rebuild is being carried out", "▶ groups.flush")
        app.app.operation = None
        await app.press("enter")
        await app.see("Type 'sandbox' to carry this out")
        await app.press("escape")
        await app.see("Not confirmed; nothing was changed.", "enter: done")
        assert len(Journal().operations()) == before
        await app.press("a")
        await app.see("▶ groups.flush")
        await app.press("enter")
        await app.see("Type 'sandbox' to carry this out")
        await app.answer("sandbox")
        await app.see("Ended")
        await app.press("escape")
        await app.see("enter: done")
        assert Journal().operations()[-1].action == "groups.flush"
        await app.press("enter")
        await app.see("✓ All is well.")
