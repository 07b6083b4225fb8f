"""The logs on the screen: followed, filtered, searched, folded, by time; of stand-ins, files, and the sandbox."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tui_driving
from test_tui_sandbox import on_sandbox, world_home  # noqa: F401 - a fixture
from tui_driving import Driver
from tui_stand_ins import StandInCore, World

from toolkit.errors import Unreachable
from toolkit.logs.entry import Entry, Kind, Line, Notice, Severity, Stream
from toolkit.logs.kept import Kept
from toolkit.logs.watching import Watching
from toolkit.progress import Progress
from toolkit.tui.log_query import Chip, LogQuery, OpenLog, next_level, open_log, wanted
from toolkit.tui.screens.logs import LogsPage, expression_of
from toolkit.tui.screens.logs_on_top import LinksPage
from toolkit.tui.widgets.log_time import LogTime

AT = 1_795_000_000 * 10**9  # 2026-11-18 11:06:40Z
APP = Stream("pods", "principal/phenoapp/dash-phenoapp-v2-aaaa/app", "dash-phenoapp-v2-aaaa")
OTHER = Stream("pods", "principal/phenoapp/dash-phenoapp-v2-bbbb/app", "dash-phenoapp-v2-bbbb")
TRACEBACK = (
    "ERROR phenoapp.maps: Callback heatmap.update failed",
    "Traceback (most recent call last):",
    '  File "/app/phenoapp/maps.py", line 41, in update',
    "    frame = frames[gene]",
    '  File "/usr/lib/python3.11/site-packages/pandas/core.py", line 7, in get',
    "    raise KeyError(key)",
    "KeyError: 'TP53'",
)


def said(number: int, text: str = "", stream: Stream = APP) -> Line:
    return Line(AT + number * 10**9, text or f"INFO phenoapp.requests: GET /map/{number} 200", stream)


@dataclass
class Talk:
    """What is to be said: `now` at once, then whatever is put into `later` until it is `done`."""

    now: Sequence[Line | Notice] = ()
    later: list[Line | Notice] = field(default_factory=list)
    live: bool = True
    links: tuple[tuple[str, str], ...] = ()
    error: Unreachable | None = None

    def __call__(self, progress: Progress) -> Iterator[Sequence[Line | Notice]]:
        yield self.now
        while self.live and not progress.stop.wait(0.02):
            batch, self.later[:] = [*self.later], []
            yield batch


@asynccontextmanager
async def logs(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int] = (80, 24), path: Path | None = None
) -> AsyncIterator[tuple[Driver, LogsPage]]:
    """The page on key 5, on what is said, or on the file at `path`."""

    class Core(StandInCore):
        def logs(self, query: LogQuery, chips: tuple[Chip, ...] = ()) -> OpenLog:
            if talk.error is not None:
                raise talk.error
            if path is not None:
                return open_log(self.connections, LogQuery((str(path),), query.since), chips)
            watched = Watching(talk, own_code=("phenoapp",), wanted=wanted(chips), heard=lambda: 0.2)
            return OpenLog(query, watched, finished=not talk.live, links=talk.links, rebuild=AT)

    monkeypatch.setattr(tui_driving, "StandInCore", Core)
    async with tui_driving.driven(world=World(), size=size) as app:
        await app.press("5")
        await app.until(lambda: isinstance(app.app.screen, LogsPage))
        page: Any = app.app.screen
        await app.until(lambda: page.opened is not None or page.problem is not None)
        yield app, page


async def test_the_end_is_followed_until_one_scrolls_up(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk([said(n) for n in range(100)])
    async with logs(talk, monkeypatch) as (app, _):
        await app.see("/map/99 200", "● following, last line just now", "100 entries", "Wed 2026-11-18")
        talk.later.append(said(100))
        await app.see("/map/100 200")
        await app.press("up")
        await app.see("‖ held")
        talk.later.extend(said(n) for n in range(101, 160))
        await app.see("160 entries")
        assert "/map/159" not in app.text
        assert "/map/99 " in app.text
        await app.press("f")
        await app.see("/map/159 200", "● following")
        await app.press("home")
        await app.see("/map/0 200")
        await app.press("G")
        await app.see("/map/159 200", "● following")


async def test_where_a_line_is_from_stands_in_it_only_where_there_are_several(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk([said(n) for n in range(100)])
    async with logs(talk, monkeypatch) as (app, _):
        await app.see("/map/99 200")
        assert "aaaa" not in app.text
        talk.later.append(said(100, stream=OTHER))
        await app.see("/map/100 200", "v2-aaaa", "v2-bbbb")


async def test_a_heartbeat_while_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with logs(Talk([said(1)]), monkeypatch) as (app, page):
        await app.see("/map/1")
        page.opened.watching.last_at = time.monotonic() - 64
        await app.see("last line 1m", "connected")


async def test_gaps_and_changes_stand_between_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = [
        Notice(AT + 10**9, Kind.GAP, APP, "lines are missing here"),
        Notice(AT + 2 * 10**9, Kind.EVENT, Stream("journal", "journal"), "Rebuild the cache: begun by anna"),
    ]
    async with logs(Talk([said(0), *marks, said(3)]), monkeypatch, (120, 30)) as (app, _page):
        await app.see("lines are missing here !!", "Rebuild the cache: begun by anna ──")
        await app.press("l", "l", "l")
        await app.see("level ≥ ERROR", "lines are missing here")
        assert "/map/3" not in app.text


async def test_filters_are_added_and_taken_away_by_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [said(n, stream=OTHER if n % 2 else APP) for n in range(10)]
    lines += [said(11, "WARNING phenoapp: slow"), said(12, "ERROR phenoapp: broken")]
    talk = Talk(lines)
    async with logs(talk, monkeypatch) as (app, _page):
        await app.see("/map/9", "broken")
        await app.press("l", "l")
        await app.see("level ≥ WARNING ✕", "2 of 12")
        assert "/map/9" not in app.text
        talk.later.extend([said(13), said(14, "ERROR phenoapp: broken again")])
        await app.see("broken again", "3 of 14")
        assert "/map/13" not in app.text
        await app.press("plus")
        await app.see("Only entries with")
        await app.type("agai[")
        await app.see("is no regular expression")
        await app.press("backspace", "n", "enter")
        await app.see("/again/ ✕", "1 of 14")
        await app.press("x")
        await app.see("3 of 14")
        await app.press("X")
        await app.see("/map/13", "no filter")
        await app.press("minus")
        await app.see("No entries with")
        await app.type("map")
        await app.press("enter")
        await app.see("not /map/ ✕", "3 of 14")
        await app.press("x", "home", "i")
        await app.see("from dash-phenoapp-v2-aaaa ✕", "9 of 14")
        await app.pilot.click("Chips", offset=(5, 0))
        await app.see("no filter")


async def test_search_finds_the_next_and_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [said(n, "INFO phenoapp: needle BRCA1" if n in (20, 200) else "") for n in range(300)]
    async with logs(Talk(lines), monkeypatch) as (app, page):
        await app.see("/map/299")
        await app.press("ctrl+f")
        await app.see("Search")
        await app.type("brca1")
        await app.press("enter")
        await app.until(lambda: page.view.current.time == AT + 200 * 10**9, "the nearest")
        assert "needle BRCA1" in app.text
        await app.press("N")
        await app.until(lambda: page.view.current.time == AT + 20 * 10**9, "the one before")
        await app.press("N")
        await app.see("'brca1' is not before.")
        await app.press("n")
        await app.until(lambda: page.view.current.time == AT + 200 * 10**9, "the next")


async def test_a_traceback_is_one_entry_that_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [said(0), *(said(1, text) for text in TRACEBACK), said(2), said(3)]
    async with logs(Talk(lines), monkeypatch, (120, 30)) as (app, _page):
        await app.see("▸ KeyError: 'TP53' at /app/phenoapp/maps.py:41 in update", "(2 frames)", "4 entries")
        assert "pandas/core.py" not in app.text
        await app.press("left_curly_bracket", "enter")
        await app.see("pandas/core.py", "frame = frames[gene]", "from principal/phenoapp")
        await app.press("Y")
        assert app.app.clipboard == "\n".join(TRACEBACK)
        await app.press("enter")
        await app.gone("pandas/core.py")
        await app.press("y")
        assert "ERROR principal/phenoapp/dash-phenoapp-v2-aaaa/app" in app.app.clipboard


async def test_patterns_are_ranked_and_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [said(-5, "WARNING phenoapp: old trouble")]
    lines += [said(n) for n in range(40)] + [said(50, "ERROR phenoapp: new trouble with 17 groups")]
    async with logs(Talk(lines), monkeypatch) as (app, _page):
        await app.see("new trouble")
        await app.press("p")
        await app.see("Patterns  of 42 entries", "new trouble with <number> groups", "old trouble")
        rows = app.text.splitlines()
        first = next(n for n, row in enumerate(rows) if "new trouble" in row)
        assert "new " in rows[first]
        assert first < next(n for n, row in enumerate(rows) if "old trouble" in row)
        await app.press("enter")
        await app.see("✕", "1 of 42", "new trouble with 17 groups")


async def test_the_histogram_goes_through_time(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk([said(n * 60) for n in range(50)])
    async with logs(talk, monkeypatch) as (app, page):
        bars = app.app.screen.query_one(LogTime)
        await app.until(lambda: len(bars.bars) > 20, "the bars")
        await app.press("h", "left", "left")
        await app.until(lambda: page.view.current.time <= AT + 47 * 60 * 10**9)
        await app.see(": 1 entry")
        await app.press("enter")
        await app.until(lambda: page.view.has_focus)
        before = page.view.current.time
        await app.press("left_square_bracket")
        await app.until(lambda: page.view.current.time < before)
        await app.pilot.click("LogTime", offset=(1, 0))
        await app.until(lambda: page.view.current.time == AT)
        assert "/map/0 200" in app.text


async def test_zones_and_wrapping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Zurich")
    long = "INFO phenoapp: " + "word " * 30 + "tail"
    async with logs(Talk([said(0, long)]), monkeypatch) as (app, _):
        await app.see("12:06:40")
        assert "tail" not in app.text
        await app.press("z")
        await app.see("11:06:40")
        await app.press("z")
        await app.see("04:06:40", "MST")
        await app.press("w")
        await app.see("tail")
        await app.press("w")
        await app.gone("tail")
        await app.press(*["right"] * 8)
        await app.see("tail")


async def test_what_other_programs_write_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    nasty = "INFO phenoapp: a\x1b[2Jb\x07c\u202ed\udcff [red]e[/red]"
    async with logs(Talk([said(0, nasty)]), monkeypatch) as (app, _):
        await app.see("b�c�d� [red]e[/red]")
        await app.press("enter")
        await app.see("[red]e")


async def test_links_to_the_same_in_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    address = "https://grafana.example/explore?x=1"
    async with logs(Talk([said(0)], links=(("app: Grafana", address),)), monkeypatch) as (app, _):
        await app.see("/map/0")
        await app.press("u")
        await app.see("app: Grafana", address)
        screen = app.app.screen
        assert isinstance(screen, LinksPage)
        links = [
            s.style.link for strip in screen._compositor.render_strips() for s in strip if s.style and s.style.link
        ]
        assert address in links
        await app.press("enter")
        await app.until(lambda: app.app.clipboard == address)


async def test_a_source_that_fails_says_why_and_what_next(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk(error=Unreachable("Loki does not answer.", hint="Is the VPN up?", by_hand=("logcli query",)))
    async with logs(talk, monkeypatch) as (app, _):
        await app.see("✗ failed", "Loki does not answer.", "Is the VPN up?", "logcli query", "r tries again")
        talk.error, talk.now = None, [said(5)]
        await app.press("r")
        await app.see("/map/5")


async def test_a_source_is_chosen_with_its_times(monkeypatch: pytest.MonkeyPatch) -> None:
    async with logs(Talk([said(0)]), monkeypatch) as (app, page):
        await app.see("/map/0")
        await app.press("s")
        await app.see("the last rebuild", "MapApp's own pods")
        await app.press("j", "j", "enter")
        await app.until(lambda: page.query_.words == ("app",) and page.opened is not None)
        await app.press("s")
        await app.see("MapApp's own pods")
        app.app.screen.query_one("#since").value = "yesterdax"  # type: ignore[attr-defined]
        await app.press("enter")
        await app.see("is no time")
        app.app.screen.query_one("#since").value = "90s"  # type: ignore[attr-defined]
        await app.press("enter")
        await app.until(lambda: page.query_ == LogQuery((), "90s"))


def _written(path: Path, count: int) -> None:
    day = "2026-11-18 11:{:02d}:{:02d},000 INFO phenoapp.requests: GET /map/{} 200\n"
    path.write_text("".join(day.format(n // 600 % 60, n // 10 % 60, n) for n in range(count)))


async def test_a_file_opens_at_its_end_and_is_gone_through_by_pages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "big.log"
    _written(path, 36_000)
    async with logs(Talk(), monkeypatch, path=path) as (app, page):
        await app.see("/map/35999 200", "of 2.")
        assert len(page.kept.shown) < 10_000, "only a page of it is read"
        await app.press("g")
        await app.see("/map/0 200", "at 0%")
        await app.press("ctrl+f")
        await app.see("Search")
        await app.type("map/20000")
        await app.press("enter")
        await app.see("/map/20000 200")
        bars = app.app.screen.query_one(LogTime)
        await app.until(lambda: len(bars.bars) > 20 and bars.bytes)
        await app.press("h", "end", "left")
        await app.press("enter")
        await app.press("up")
        await app.until(lambda: not page._paging)
        first = page.opened.file.start
        page.view.go(page.view.base)
        await app.press("up")
        await app.until(lambda: page.opened.file.start < first, "the page before")
        await app.press("end")
        await app.see("/map/35999 200")
        with path.open("a") as file:
            file.write("2026-11-18 12:00:00,000 ERROR phenoapp: one more\n")
        await app.see("one more", "● following")


async def test_a_file_is_filtered_whole_not_only_where_one_looks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "big.log"
    _written(path, 20_000)
    async with logs(Talk(), monkeypatch, path=path) as (app, _page):
        await app.see("/map/19999 200")
        await app.press("plus")
        await app.see("Only entries with")
        await app.type("map/77 ")
        await app.press("enter")
        await app.see("/map/77 200", "1 of")
        with path.open("a") as file:
            file.write("2026-11-18 12:00:00,000 ERROR phenoapp: map/77 again\n")
        await app.see("map/77 again")
        await app.press("x")
        await app.see("/map/19999 200", "no filter")


def test_more_than_is_kept_falls_off_and_is_counted() -> None:
    kept = Kept(most=100)
    entries = [Entry(n + 1, Severity.INFO, "s", "o", f"m{n}", f"m{n}") for n in range(1_000)]
    kept.add(entries[:150])
    assert (len(kept.shown), kept.dropped, kept.shown.base) == (100, 50, 50)
    kept.hold = True
    for begin in range(150, 1_000, 50):
        kept.add(entries[begin : begin + 50])
    assert kept.shown.items[0] is entries[50], "what one reads stays where it is"
    assert kept.waiting == 850
    kept.release()
    assert len(kept.shown) == 100
    assert kept.shown.items[-1] is entries[-1]
    assert kept.came == 1_000 == len([i for i in kept.shown.items if isinstance(i, Entry)]) + kept.dropped


def test_what_was_skipped_while_one_read_above_is_marked_where_it_was() -> None:
    kept = Kept(most=100)
    entries = [Entry(n + 1, Severity.INFO, "s", "o", f"m{n}", f"m{n}") for n in range(230)]
    kept.add(entries[:50])
    kept.hold = True
    for begin in range(50, 230, 30):
        kept.add(entries[begin : begin + 30])
    kept.release()
    gaps = [item for item in kept.shown.items if isinstance(item, Notice)]
    shown = [item for item in kept.shown.items if isinstance(item, Entry)]
    assert len(shown) + kept.dropped == 230
    assert not gaps or gaps[0].kind is Kind.GAP


def test_a_filter_says_what_was_let_go_before_it_could_look() -> None:
    kept = Kept(most=100)
    entries = [Entry(n + 1, Severity.INFO, "s", "o", f"m{n}", f"m{n}") for n in range(300)]
    kept.add(entries)
    keep = wanted((Chip("with", "m29"),))
    kept.choose(kept.chosen(keep), all_=False)
    assert [item.message for item in kept.shown.items if isinstance(item, Entry)] == [f"m{n}" for n in range(290, 300)]
    assert (kept.dropped, kept.unseen) == (0, 200)
    for begin in range(0, 300, 50):  # much else is said: what the filter keeps stays
        kept.add(entries[begin : begin + 50], [one for one in entries[begin : begin + 50] if keep.keeps(one)])
    assert len(kept.shown) == 21
    kept.choose(kept.chosen(wanted(())), all_=True)
    shown = sum(isinstance(item, Entry) for item in kept.shown.items)
    assert kept.unseen == 0
    assert shown + kept.dropped == kept.came == 600


def test_levels_go_round_and_a_template_becomes_an_expression() -> None:
    chips: tuple[Chip, ...] = (Chip("with", "x"),)
    seen = []
    for _ in range(4):
        chips = next_level(chips)
        seen.append([chip.text for chip in chips if chip.kind == "level"])
    assert seen == [["info"], ["warning"], ["error"], []]
    assert expression_of("took <number> s (a.b) <*>") == r"took .* s \(a\.b\) "


async def test_the_last_rebuild_and_another_source_on_the_sandbox(
    world_home: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOOLKIT_HOME", str(world_home))
    async with on_sandbox(size=(120, 40)) as app:
        await app.see("nothing needs you")
        await app.press("5")
        await app.see("the last rebuild: rp006-neuro-cache-manager", "✓ complete", "Done: 3 groups in Redis")
        await app.press("u")
        await app.see("Logs Explorer", "https://console.cloud.google.com/logs/query")
        await app.press("escape", "s")
        await app.see("MapApp's own pods")
        await app.press("j", "j", "enter")
        await app.see("● following", "GET /")
