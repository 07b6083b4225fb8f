"""What a change looks like while it is carried out, and at its end; kept in tests/tui/snapshots."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest
from tui_driving import Driver
from tui_snapshots import Still, still  # noqa: F401 - a fixture
from tui_stand_ins import NAMES, Rebuild, World

import toolkit.actions.journal
from toolkit.actions.plan import Outcome, Plan, Result
from toolkit.checks.finding import Finding, Status
from toolkit.permit import Permit
from toolkit.progress import Progress


class InPart(Rebuild):
    """Two of its three groups come."""

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        made = super().apply(plan, permit, progress)
        left = tuple(f"{NAMES[2]}/{frame}" for frame in ("genes", "genes_normalized", "compounds"))
        why = ("KeyError: 'concentration' while it wrote the frame compounds of the third group",)
        text = "The Job failed after 4 minutes: BackoffLimitExceeded. Two groups of three are in Redis."
        return replace(made, result=Result.PARTIAL, summary=text, left=left, details=why)

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:
        hint = "Read the log of the failed pod, then rebuild once more."
        by_hand = ("toolkit logs --since last-rebuild --env rp006",)
        return (
            Finding("groups in L2", Status.FAIL, "2 of 3 groups, 21 frames", hint, by_hand=by_hand),
            Finding("app-pods", Status.UNKNOWN, "the cluster rp006-prod does not answer", "Is your VPN up?"),
        )


def world(action: type[Rebuild]) -> World:
    made = World()
    made.action = action(made.environment)
    return made


@pytest.fixture(autouse=True)
def _known_names(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = (SimpleNamespace(hex=f"{number:032x}") for number in count(0x7F3A_91C2_0001 << 80))
    monkeypatch.setattr(toolkit.actions.journal, "uuid", SimpleNamespace(uuid4=lambda: next(ids)))


async def _begin(app: Driver) -> None:
    await app.see("nothing needs you", "vault 43m left")
    await app.press("4", "b")
    await app.see("Type 'prod-cluster'")
    await app.answer("prod-cluster")


async def test_how_a_change_looks_under_way_and_done(still: Still) -> None:
    made = world(Rebuild)
    assert made.action is not None
    made.action.go.clear()
    async with still.driven(world=made) as app:
        await _begin(app)
        await app.see("12 of 40 frames", "30 lines")
        await still.looks(app, "gate-going")
        made.action.go.set()
        await app.see("✓ done", "undo     toolkit groups restore")
        app.app.clear_notifications()
        await still.looks(app, "gate-done")


async def test_how_a_change_looks_that_came_to_a_part(still: Still) -> None:
    async with still.driven(world=world(InPart)) as app:
        await _begin(app)
        await app.see("! partial", "left as they were (3)")
        app.app.clear_notifications()
        await still.looks(app, "gate-partial")


async def test_how_leaving_looks_while_a_change_goes_on(still: Still) -> None:
    made = world(Rebuild)
    assert made.action is not None
    made.action.go.clear()
    async with still.driven(world=made) as app:
        await _begin(app)
        await app.see("12 of 40 frames", "30 lines")
        await app.press("escape")
        app.app.clear_notifications()
        await app.press("q")
        await app.see("A change is going on", "Stop and quit (s)")
        await still.looks(app, "leave-change", sizes=((80, 24), (120, 40)))
        made.action.go.set()
