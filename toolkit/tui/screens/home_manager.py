"""Home's cache manager: where it runs, its last runs as a strip, the one going on, and how long until the next."""

from __future__ import annotations

from datetime import UTC, datetime

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from toolkit.errors import ToolkitError
from toolkit.figures import age
from toolkit.tui.screens.home_attention import Attention
from toolkit.tui.standing import ManagerSeen
from toolkit.tui.widgets import run_strip
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.runs import sign, style, took
from toolkit.tui.wording import cut, foreign, moment

_MUTED = "$text-muted"
_OFTENER = 10.0  # seconds between looks while a run is going on
_HIGH = 50  # rows of a terminal with room for high bars
_ROOM = 6  # cells of a label


def countdown(until: datetime) -> str:
    """`in 2d 03:59:12`, to the second; what is past is `due`."""
    seconds = int((until - datetime.now(UTC)).total_seconds())
    if seconds < 0:
        return "due"
    days, rest = divmod(seconds, 86400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"in {days}d {clock}" if days else f"in {clock}"


class ManagerPanel(Panel[ManagerSeen]):
    """Asked every half minute; every ten seconds while a run is going on."""

    title = "Cache manager"
    same_as = "cache status"
    by_itself = True
    every = 30.0

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._seen: ManagerSeen | None = None

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("…", _MUTED), id="said")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(1, self._tick_down)

    def ask(self) -> ManagerSeen:
        return self.session.core.standing.manager()

    def answered(self, answer: ManagerSeen) -> None:
        self._seen = answer
        self.every = _OFTENER if answer.manager.running is not None else type(self).every
        self._draw()
        self.screen.query_one(Attention).hear("cache manager", answer.findings)

    def broken(self, problem: ToolkitError) -> None:
        super().broken(problem)
        self.screen.query_one(Attention).down("cache manager", problem)

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw()

    def _tick_down(self) -> None:
        if self.screen.is_current:
            self._draw()

    def _draw(self) -> None:
        if self._seen is None:
            return
        width = max(self.content_size.width, 30)
        rows = (4 if self.app.size.height < _HIGH else 8) if self.screen.has_class("-tall") else 1
        zone = self.session.environment.time_zone
        minutes = self.session.environment.cache_manager.usual_minutes
        self.query_one("#said", Static).update(Content("\n").join(said(self._seen, zone, minutes, width, rows)))


def said(seen: ManagerSeen, zone: str, usual_minutes: int, width: int, rows: int) -> list[Content]:
    """The panel's lines; the strip is `rows` high."""
    manager, room = seen.manager, width - _ROOM
    cronjob = manager.cronjob
    lines = [_line("in", Content.assemble((cronjob.cluster, "bold"), f" / {cronjob.namespace}"))]
    if seen.place:
        lines.append(_line("", Content.styled(f"✗ not in {seen.place}, as configured", "bold $text-error")))
    usually = run_strip.usual(manager.jobs, usual_minutes * 60.0)
    going, last = manager.running, manager.last
    if going is not None:
        head = Content.styled(f"{sign(going)} ", style(going))
        lines.append(_line("now", Content.assemble(head, run_strip.progress(going, usually, room - head.cell_length))))
        if seen.says:
            lines.append(_line("says", Content.styled(cut(foreign(seen.says), room), _MUTED)))
    if last is not None and (going is None or rows > 1):
        how = " by hand" if last.manual else ""
        reason = f": {foreign(last.reason)}" if last.state == "failed" and last.reason else ""
        text = f"{age(last.finished)}, took {took(last)}{how}{reason}"
        lines.append(_line("last", Content.assemble((f"{sign(last)} ", style(last)), cut(text, room - 11))))
    lines += _next(seen, zone, room)
    strip = run_strip.strip(manager.jobs, room, rows)
    lines += [_line("runs" if number == 0 else "", line) for number, line in enumerate(strip)]
    return lines


def _next(seen: ManagerSeen, zone: str, room: int) -> list[Content]:
    manager = seen.manager
    if manager.cronjob.suspended:
        text = Content.assemble(("! suspended", "bold $text-warning"), ": no run starts by itself")
        return [_line("next", text)]
    if manager.next_run is None:
        text = Content.assemble(("? unknown ", "$text-warning"), cut(foreign(manager.problem), room - 10))
        return [_line("next", text)]
    utc, local = moment(manager.next_run), moment(manager.next_run, zone)
    due = countdown(manager.next_run)
    if len(due) + len(utc) + len(local) + 5 <= room:
        both = f"  {utc}" if local == utc else f"  {utc} = {local}"
        return [_line("next", Content.assemble((due, "bold"), both))]
    first = Content.assemble((due, "bold"), f"  {_brief(utc)}")
    same = [] if local == utc else [_line("", Content(f"{'':<{len(due)}}= {_brief(local)}"))]
    return [_line("next", first), *same]


def _brief(text: str) -> str:
    """A moment without its year: a cache manager runs sooner than that."""
    day, date, rest = text.split(" ", 2)
    return f"{day} {date[5:]} {rest}"


def _line(label: str, text: Content) -> Content:
    return Content.assemble((f"{label:<{_ROOM}}", _MUTED), text)
