"""Runbooks of their own for the tests' looks: what their checks find and their actions do is made up too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tui_stand_ins import NAMES, Rebuild, World

import toolkit.actions.journal
import toolkit.walkthrough.record  # these are loaded before the clock is made to stand still
import toolkit.walkthrough.report
from toolkit.checks.finding import Finding, Status
from toolkit.checks.runner import Check

HEAD = """---
title: {title}
symptom: {symptom}
{inputs}---

# {title}
"""
MISSING = """
Either it is not in the cache, or it is and the user looks elsewhere. The first step tells which.

## Is it in the cache

```check pert-in-cache
pert: "{{ pert }}"
```

```check groups-complete
```

Good: it is there, in the group where the user looks. Then it is the **user's settings**:

- which group is chosen under *Group Label*,
- which split-by, and whether `normalized` is on.

```sh
toolkit groups find {{ pert }} --env {{ env }}
```

```choose
- say: Found under another name, or in another group
  go: tell-the-user
- say: Not found at all
  go: rebuild
```

## Rebuild

```action cache.rebuild
```

Good: the job succeeded.

## Look whether every group has all of its frames now

```check last-rebuild
```

Good: the last rebuild is the one just made.

## Tell the user

Tell them in which group it is.
"""
ONE_STEP = "\n## Look\n\nThere is nothing to see.\n"
SYMPTOMS = {
    "find-the-logs": "Somebody asks what the cache manager has said.",
    "rebuild-failed": "The weekly rebuild of the groups has failed, or an alert says so.",
    "reload-the-groups": '"Please reload the groups", or Redis does not hold what it should.',
    "restart-the-app-after-a-rebuild": "After a rebuild some users still see the old default group.",
    "why-cant-i-get-in": "A user is told that they may not see the map, though a colleague is let in.",
}
ASKS = "inputs:\n  - name: pert\n    prompt: Which pert, as the user spells it?\n    kind: pert\n"
FOUND = {
    "pert-in-cache": Finding(
        "pert-in-cache", Status.FAIL, f"BRAC1 is in none of the 8 frames of {NAMES[0]}",
        "Did they mean BRCA1? Two letters changed places.", 0.42, ("genes: 1,204 perts, none of them BRAC1",),
        ("toolkit groups find BRAC1 --env rp006",),
    ),
    "groups-complete": Finding("groups-complete", Status.OK, "every group has all of its 8 frames", seconds=0.12),
    "last-rebuild": Finding("last-rebuild", Status.OK, "ended 4 minutes ago, after 57 minutes", seconds=0.2),
}  # fmt: skip


def made_up_runbooks(folder: Path, world: World, patch: pytest.MonkeyPatch) -> None:
    """Make the runbooks in `folder` all that there are, and what they ask and do made up."""
    folder.mkdir()
    for name, symptom in SYMPTOMS.items():
        title = name.replace("-", " ").capitalize()
        text = HEAD.format(title=title, symptom=f"'{symptom}'", inputs="") + ONE_STEP
        (folder / f"{name}.md").write_text(text, "utf-8")
    title, symptom = "Why is a pert missing?", "A user says that a gene or compound is not on the map."
    text = HEAD.format(title=title, symptom=symptom, inputs=ASKS) + MISSING
    (folder / "why-is-a-pert-missing.md").write_text(text, "utf-8")
    (folder / "sync-the-image.md").write_text("---\ntitle: Sync\nsymptom: The image is an old one.\n---\n", "utf-8")

    def check(name: str, connections: Any, given: Mapping[str, str], progress: Any) -> Check:
        del connections, given, progress
        return Check(name, lambda: FOUND[name])

    def run(checks: Sequence[Check]) -> Iterator[Finding]:
        yield from (one.ask() for one in checks)

    ids = (f"{number:08x}" for number in count(0x5E1A_7C01, 0x11_1101))
    operations = (SimpleNamespace(hex=f"{number:012x}" + 20 * "0") for number in count(0x7F3A_91C2_0001, 0x1_0000_0101))
    patch.setenv("TZ", "Europe/Zurich")
    patch.setattr("toolkit.walkthrough.library.folders", lambda: [folder])
    patch.setattr("toolkit.checks.questions.check", check)
    patch.setattr("toolkit.checks.runner.run", run)
    patch.setattr("toolkit.actions.offers.make", lambda *_: Rebuild(world.environment))
    patch.setattr("toolkit.walkthrough.record.secrets", SimpleNamespace(token_hex=lambda _: next(ids)))
    patch.setattr("toolkit.walkthrough.record._me", lambda: "anna@desk")
    patch.setattr(toolkit.actions.journal, "uuid", SimpleNamespace(uuid4=lambda: next(operations)))
    patch.setattr("toolkit.actions.journal.getpass", SimpleNamespace(getuser=lambda: "anna"))
    patch.setattr("toolkit.actions.journal.socket", SimpleNamespace(gethostname=lambda: "desk"))
