"""What a pert and the pictures of the map look like; kept in tests/tui/snapshots."""

from __future__ import annotations

import pytest
import tui_driving
from textual.widgets import Input
from tui_driving import Driver
from tui_snapshots import Still, still  # noqa: F401 - a fixture
from tui_stand_ins import NAMES, StandInCore

from toolkit.cache.map.chosen_vectors import Missing
from toolkit.cache.map.consistency import Chance, Consistency, Replicates
from toolkit.cache.map.named_frame import Phenoprint
from toolkit.cache.map.projection import Line, Point, Projection
from toolkit.cache.search.matching import Near
from toolkit.pictures import map_pages
from toolkit.progress import Progress
from toolkit.tui.map_picture import COLOURS, PLANE, Picture
from toolkit.tui.picture_query import PictureQuery

FRAME = "compounds_split_by_normalized"
MISSING = (Missing("REC-000012", "not in any frame", (Near("REC-0000123", 90.0, "one digit more"),)),)


def phenoprint(pert: str, concentration: float | None = None, experiment: str | None = None) -> Phenoprint:
    return Phenoprint(pert, "compound", concentration, experiment, 24, 1.0, NAMES[0], "L2", FRAME)


def plane() -> Projection:
    def line(pert: str, side: float, heads: str) -> Line:
        at = [
            (c, round(side * n / 4, 3), round(0.9 - 0.11 * n + abs(side) / 9, 3))
            for n, c in enumerate((0.1, 0.3, 1.0, 3.0))
        ]
        points = tuple(Point(phenoprint(pert, c), x, y, round(x / 1.1, 3)) for c, x, y in at)
        return Line(pert, heads, points)  # type: ignore[arg-type]

    lines = (
        line("REC-0000123", 0.8, "toward"),
        line("REC-0000456", -0.5, "away"),
        line("REC-0000789", 0.05, "neither"),
    )
    return Projection(
        NAMES[0], "L2", (FRAME,), phenoprint("MTOR"), 0.265, lines, MISSING, 38_600, 143_000,
        ("The compound REC-0000789 has one concentration without a vector.",),
    )  # fmt: skip


def replicates() -> Consistency:
    def one(pert: str, verdict: str, cosines: tuple[float, float, float], p: float) -> Replicates:
        a, b, c = cosines
        prints = tuple(phenoprint(pert, 3.0, f"exp-{n:03}") for n in range(1, 4))
        matrix = ((1.0, a, b), (a, 1.0, c), (b, c, 1.0))
        why = f"they are as alike as {p:.0%} of chance draws"
        chance = Chance(499, 128, 0.01, p, 100 * (1 - p))
        return Replicates(
            pert, 3.0, verdict, why, 3, round(sum(cosines) / 3, 3), min(cosines), "exp-003", chance, prints, matrix
        )  # type: ignore[arg-type]

    found = (
        one("REC-0000123", "agree", (0.82, 0.74, 0.79), 0.002),
        one("REC-0000456", "weak", (0.61, -0.12, 0.08), 0.04),
        one("REC-0000789", "disagree", (0.05, -0.21, 0.1), 0.61),
    )
    return Consistency(NAMES[0], "L2", (FRAME,), found, MISSING, 38_600, 143_000)


class Core(StandInCore):
    """Pictures drawn as they really are, of figures that are made up."""

    def picture(self, group: str, query: PictureQuery, progress: Progress) -> Picture:
        if query.kind == "projection":
            made = plane()
            headings = ("", "compound", "µM", "projection", "rejection", "cosine", "heads")
            return Picture(
                query, lambda width, height: map_pages.projection(made, width, height), map_pages.projection_file(made),
                PLANE, map_pages.read(made), (headings, map_pages.points(made)), made.missing, made.warnings,
            )  # fmt: skip
        told = replicates()
        headings = ("pert", "verdict", "mean", "least", "experiments", "chance", "p")
        return Picture(
            query, lambda width, _: map_pages.consistency(told, width), map_pages.consistency_file(told), COLOURS,
            map_pages.read(told), (headings, map_pages.verdicts(told)), told.missing, told.warnings,
        )  # fmt: skip


async def _asked(app: Driver, key: str, line: str) -> None:
    await app.see("vault 43m left")
    await app.press("2")
    await app.see(NAMES[0], "perts    1,204")
    await app.press(key)
    await app.until(lambda: app.app.screen.query("#line"), "a question")
    app.app.screen.query_one("#line", Input).value = line
    await app.press("enter")


async def test_how_a_projection_looks(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tui_driving, "StandInCore", Core)
    async with still.driven() as app:
        await _asked(app, "p", "REC-0000123 REC-0000456 REC-0000789 --target MTOR")
        await app.see("Seen from MTOR", "is the control")
        await still.looks(app, "groups-projection")


async def test_how_the_consistency_of_replicates_looks(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tui_driving, "StandInCore", Core)
    async with still.driven() as app:
        await _asked(app, "c", "REC-0000123 REC-0000456 REC-0000789 --at 3")
        await app.see("Replicates by experiment")
        await still.looks(app, "groups-consistency")


async def test_how_a_pert_looks(still: Still) -> None:
    async with still.driven() as app:
        await app.see("vault 43m left")
        await app.press("2")
        await app.see(NAMES[0], "perts    1,204")
        await app.press("f")
        await app.see("4 names in")
        await app.type("BRCA1")
        await app.press("enter")
        await app.see("Where BRCA1 is", "none of its frames has it")
        await still.looks(app, "groups-pert")
