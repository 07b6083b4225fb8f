"""The small dialogues on top of the logs: an expression to type, the choice of a source, patterns, links."""

from __future__ import annotations

import os
import shlex
import sys
import webbrowser
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.style import Style
from textual.widgets import Input, Label, Static

from toolkit.errors import ToolkitError, UsageError
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import in_thread
from toolkit.tui.house import house
from toolkit.tui.log_query import LogQuery
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets.footer import Footer
from toolkit.tui.widgets.log_rows import seen
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.widgets.table import Rows
from toolkit.tui.wording import cut

if TYPE_CHECKING:
    from toolkit.logs.patterns import Pattern

T = TypeVar("T")


class OnTop(ModalScreen[T]):
    """A box on top of the logs; escape closes it."""

    BINDINGS = bindings("logs-on-top")

    DEFAULT_CSS = """
    OnTop {
        align: center middle; background: $background 40%;
        Input, Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
        .box {
            width: 96%; max-width: 140; height: auto; max-height: 90%; background: $surface; padding: 0 1;
            border: round $primary; border-title-color: $primary; border-title-style: bold;
        }
        .said { height: auto; color: $text-muted; }
        .wrong { color: $text-error; }
    }
    """

    @property
    def room(self) -> int:
        """Cells of a row in the box."""
        return min(self.app.size.width * 96 // 100, 140) - 6

    def action_close(self) -> None:
        self.dismiss(None)

    def action_take(self) -> None:
        """Take what is in focus."""

    def copied(self) -> str:
        """What `y` copies."""
        return ""

    def action_copy(self) -> None:
        house(self).copy(self.copied(), "it")


class Prompt(OnTop[str]):
    """Type an expression; `check` raises UsageError for one that is none, which is shown, and nothing is lost."""

    DEFAULT_CSS = """
    Prompt { align: center bottom; }
    Prompt .box { width: 100%; max-width: 100%; margin-bottom: 1; border: none; border-top: solid $primary; }
    """

    def __init__(self, title: str, check: Callable[[str], object], value: str = "") -> None:
        super().__init__()
        self._title, self._check, self._value = title, check, value

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title
            yield Input(self._value, id="expression", select_on_focus=True)
            yield Static("RE2; in small letters it means either case", classes="said")
        yield Footer()

    @on(Input.Changed)
    def _look(self) -> None:
        self._checked()

    @on(Input.Submitted)
    def action_take(self) -> None:
        text = self.query_one(Input).value
        if self._checked():
            self.dismiss(text)

    def _checked(self) -> bool:
        said = self.query_one(".said", Static)
        try:
            self._check(self.query_one(Input).value)
        except UsageError as error:
            said.update(Content(seen(error.message.partition("\n")[0])))
            said.add_class("wrong")
            return False
        said.update(Content("RE2; in small letters it means either case"))
        said.remove_class("wrong")
        return True


class SourceChoice(OnTop[LogQuery]):
    """Which source, since and until when."""

    ABOUT = About(
        "The source",
        "Choose a source from the list, or type one or several: cache-manager, app, a kept query, "
        "pod:CLUSTER/NAMESPACE/NAME, loki:LOGQL, cloud:FILTER, a file's path. Tab goes to since and until.",
    )

    DEFAULT_CSS = """
    SourceChoice .row { height: 1; }
    SourceChoice Label { width: 8; color: $text-muted; }
    SourceChoice .row Input { width: 1fr; }
    SourceChoice Rows { max-height: 14; margin-top: 1; }
    """

    def __init__(self, now: LogQuery, offered: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._now, self._offered = now, offered

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "Read"
            with Horizontal(classes="row"):
                yield Label("source")
                yield Input(shlex.join(self._now.words), placeholder="the last rebuild; or a file's path …", id="words")
            with Horizontal(classes="row"):
                yield Label("since")
                yield Input(self._now.since, placeholder="15m, 18:00, last-rebuild", id="since")
                yield Label("  until")
                yield Input(self._now.until, placeholder="now", id="until")
            yield Static("Tab: type a source or a file's path, since and until", classes="said")
            yield Rows(self._line, own=[act("logs-on-top.take").binding()])
        yield Footer()

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.show(len(self._offered), 0)
        rows.focus()

    def _line(self, at: int) -> Content:
        name, what = self._offered[at]
        text = cut(what, self.room - 24)
        return Content.assemble((f" {name or 'the last rebuild':<24}", "bold"), (text, "$text-muted"))

    @on(Rows.Chosen)
    def action_take(self) -> None:
        rows = self.query_one(Rows)
        if rows.has_focus and rows.count:
            name = self._offered[rows.cursor][0]
            self._take((name,) if name else ())
        else:
            self._typed()

    @on(Input.Submitted)
    def _typed(self) -> None:
        try:
            words = tuple(shlex.split(self.query_one("#words", Input).value))
        except ValueError as error:
            self._wrong(f"source: {error}")
            return
        self._take(words)

    def _take(self, words: tuple[str, ...]) -> None:
        since, until = (self.query_one(f"#{name}", Input).value.strip() for name in ("since", "until"))
        try:
            _read_times(since, until)
        except ToolkitError as error:
            self._wrong(error.message.replace("--", ""))
            return
        self.dismiss(LogQuery(words, since, until))

    def _wrong(self, text: str) -> None:
        said = self.query_one(".said", Static)
        said.update(Content(text))
        said.add_class("wrong")


def _read_times(since: str, until: str) -> None:
    """Whether they can be read; the last rebuild is asked for only when the log is opened."""
    import time

    from toolkit.logs.times import Reader
    from toolkit.logs.zones import local

    now = time.time_ns()
    Reader(now, local(), lambda: now - 10**9).window(since, until)


class PatternsPage(OnTop["Pattern"]):
    """What is said, as templates; the new ones first. Enter shows only entries like it."""

    ABOUT = About(
        "Patterns",
        "Each row is a template: how often it came, its level, and whether it was first seen since the last rebuild "
        "began. Enter filters by it; x takes that filter away again.",
    )

    DEFAULT_CSS = """
    PatternsPage .box { height: 90%; }
    PatternsPage Rows { height: 1fr; max-height: 100%; }
    PatternsPage .said { max-height: 5; border-top: dashed $rule; }
    """

    def __init__(self, ask: Callable[[], tuple[list[Pattern], str]]) -> None:
        super().__init__()
        self._ask = ask
        self._patterns: list[Pattern] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Rows(self._line, own=[act("logs-on-top.take").binding()])
            yield Static("", classes="said")
        yield Footer()

    def on_mount(self) -> None:
        self._load()
        self.set_interval(1, self._load)

    def _load(self) -> None:
        background.work_for(self, self._show, group="patterns", exclusive=True)

    async def _show(self) -> None:
        found, heading = await in_thread(self._ask, "patterns")
        kept = self.copied()
        self._patterns = found
        self.query_one(".box").border_title = Content(f"Patterns  {heading}")
        self.query_one(Rows).show(len(found), next((n for n, one in enumerate(found) if one.template == kept), 0))

    def _line(self, at: int) -> Content:
        return _pattern_line(self._patterns[at], self.room)

    @on(Rows.Moved)
    def _describe(self) -> None:
        one = self._current()
        if one is not None:
            width = max(self.query_one(".said").content_size.width, 40)
            self.query_one(".said", Static).update(hanging(Content("e.g. "), seen(one.example.message)[:600], width))

    @on(Rows.Chosen)
    def action_take(self) -> None:
        one = self._current()
        if one is not None:
            self.dismiss(one)

    def copied(self) -> str:
        one = self._current()
        return "" if one is None else one.template

    def _current(self) -> Pattern | None:
        at = self.query_one(Rows).cursor
        return self._patterns[at] if at < len(self._patterns) else None


def _pattern_line(one: Pattern, room: int) -> Content:
    style = "$text-error" if one.severity >= 500 else "$text-warning" if one.severity >= 400 else ""
    return Content.assemble(
        (" new " if one.new else "     ", "bold $text-warning"), f"{one.count:>9,} ",
        (f"{one.severity.name.lower() if one.severity else '':<8} ", style or "$text-muted"),
        (cut(seen(one.template), room - 23), style),
    )  # fmt: skip


class LinksPage(OnTop[None]):
    """Where the same query and range are seen in a browser."""

    DEFAULT_CSS = """
    LinksPage #address { height: auto; max-height: 12; margin-top: 1; border-top: dashed $rule; }
    """

    def __init__(self, links: Sequence[tuple[str, str]], problems: Sequence[str]) -> None:
        super().__init__()
        self._links, self._problems = links, problems

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "The same in a browser"
            yield Rows(lambda at: Content(f" {self._links[at][0]}"), own=[act("logs-on-top.take").binding()])
            yield Static("", id="address")
            yield Static(Content("\n".join(self._said())), classes="said")
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Rows).show(len(self._links), 0)

    def _said(self) -> list[str]:
        said = list(self._problems)
        if not self._links:
            said.append("None of these sources can be seen in a browser: only kept queries, loki: and cloud: can.")
        elif browser() or self.app.is_web:
            said.append("Enter opens it in the browser, y copies it; many terminals open it by a click.")
        else:
            said.append("There is no browser here: y and Enter copy it; many terminals open it by a click.")
        return said

    @on(Rows.Moved)
    def _show(self) -> None:
        self.query_one("#address", Static).update(Content.styled(self.copied(), Style(link=self.copied())))

    @on(Rows.Chosen)
    def action_take(self) -> None:
        address = self.copied()
        if address and self.app.is_web:
            self.app.open_url(address)
        elif address and browser():
            background.start(lambda: _open(address), "browser")
            house(self).notify("Opened in the browser.")
        else:
            house(self).copy(address, "the address")
        self.dismiss(None)

    def copied(self) -> str:
        at = self.query_one(Rows).cursor
        return self._links[at][1] if at < len(self._links) else ""


def browser() -> bool:
    """Whether there is a browser with a window of its own; one in this terminal would draw over the app."""
    if os.environ.get("SSH_CONNECTION") and not os.environ.get("DISPLAY"):
        return False
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _open(address: str) -> None:
    try:
        webbrowser.open(address)
    except Exception as error:  # noqa: BLE001 - a browser's start-up may fail in any way
        background.as_problem(error)
