"""What the logs look like; kept in tests/tui/snapshots."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import tui_driving
from test_tui_logs import APP, AT, OTHER, TRACEBACK, Talk, said
from tui_driving import Driver
from tui_snapshots import Still, still  # noqa: F401 - a fixture
from tui_stand_ins import StandInCore

from toolkit.errors import Unreachable
from toolkit.logs.entry import Kind, Notice, Stream
from toolkit.logs.watching import Watching
from toolkit.tui.log_query import Chip, LogQuery, OpenLog, wanted
from toolkit.tui.screens.logs import LogsPage
from toolkit.tui.widgets.log_time import LogTime

JOB = Stream("pods", "prod-cluster/phenoapp/rp006-neuro-cache-manager-29370-x7k2p/cache-manager", "cache-manager-x7k2p")
TOLD = (
    *(said(20 * n, f"INFO cache_manager.write: Wrote frame {n} of 24 to Redis, 264 MB", JOB) for n in range(24)),
    *(said(15 * n, stream=OTHER if n % 3 else APP) for n in range(40)),
    said(61, "DEBUG phenoapp.cache: 3 groups in L1", OTHER),
    said(130, "WARNING cache_manager.redis: the proxy was slow: 4.2 s for 264 MB of compounds_split_by", JOB),
    Notice(AT + 200 * 10**9, Kind.GAP, OTHER, "lines are missing here"),
    Notice(AT + 260 * 10**9, Kind.EVENT, Stream("journal", "journal"), "Rebuild the cache: begun by anna"),
    *(said(607, text) for text in TRACEBACK),
    said(608, "CRITICAL cache_manager: gave up after 3 attempts; 2 of 3 groups are whole", JOB),
    *(said(610 + n) for n in range(6)),
)


@asynccontextmanager
async def logs(still: Still, patch: pytest.MonkeyPatch, error: Unreachable | None = None) -> AsyncIterator[Driver]:
    """The page on key 5, on what was said."""
    talk = Talk(sorted(TOLD, key=lambda line: line.time), live=False)

    class Core(StandInCore):
        def logs(self, query: LogQuery, chips: tuple[Chip, ...] = ()) -> OpenLog:
            if error is not None:
                raise error
            own = ("phenoapp", "cache_manager")
            watched = Watching(talk, own_code=own, wanted=wanted(chips), heard=lambda: 0.2)
            links = (("app: Grafana", "https://grafana.example/explore?left=%7B%22queries%22%3A%5B%5D%7D"),)
            return OpenLog(query, watched, finished=True, links=links, rebuild=AT + 300 * 10**9)

    patch.setenv("TZ", "Europe/Zurich")
    patch.setattr(tui_driving, "StandInCore", Core)
    async with still.driven() as app:
        await app.see("vault 43m left", "nothing needs you")
        await app.press("5")
        await app.until(lambda: isinstance(app.app.screen, LogsPage))
        yield app


async def _read(app: Driver) -> None:
    await app.see("/map/615 200")
    await app.until(lambda: app.app.screen.query_one(LogTime).bars, "the bars")


async def test_how_a_timeline_looks(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logs(still, monkeypatch) as app:
        await _read(app)
        await app.press(*["up"] * 7)
        await app.see("▸ KeyError")
        await still.looks(app, "logs")
        await app.press("enter")
        await app.see("frame = frames[gene]")
        await still.looks(app, "logs-entry")


async def test_how_filters_look(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logs(still, monkeypatch) as app:
        await _read(app)
        await app.press("l", "l", "plus")
        await app.type("redis")
        await app.press("enter")
        await app.see("/redis/ ✕", "level ≥ WARNING ✕")
        await still.looks(app, "logs-filtered")


async def test_how_patterns_look(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logs(still, monkeypatch) as app:
        await _read(app)
        await app.press("p")
        await app.see("Patterns  of")
        await still.looks(app, "logs-patterns")


async def test_how_the_choice_of_a_source_looks(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logs(still, monkeypatch) as app:
        await _read(app)
        await app.press("s")
        await app.see("MapApp's own pods")
        await still.looks(app, "logs-source")


async def test_how_the_histogram_looks(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logs(still, monkeypatch) as app:
        await _read(app)
        await app.press("h", "left", "left")
        await app.see("▲")
        await still.looks(app, "logs-histogram", sizes=((80, 24), (200, 60)))


async def test_how_logs_that_cannot_be_read_look(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    error = Unreachable("Loki does not answer.", hint="Is the VPN up?", by_hand=("logcli query '{app=\"phenoapp\"}'",))
    async with logs(still, monkeypatch, error) as app:
        await app.see("✗ failed", "Is the VPN up?")
        await still.looks(app, "logs-broken", sizes=((80, 24), (120, 40)))
