"""The events of new groups, followed: when each was created, and whether a rebuild has begun since."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from toolkit.errors import ToolkitError
from toolkit.figures import age
from toolkit.tui.about import About
from toolkit.tui.background import each, in_thread
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import cut, foreign, moment

if TYPE_CHECKING:
    from toolkit.systems.kafka import Event

BEFORE = 50  # events that are shown of those before now
MOST = 500  # rows; the oldest give way


class EventsPanel(Panel[None]):
    """The events, the latest first, while somebody looks."""

    ABOUT = About(
        "Events of new groups",
        "A row an event, as phenoservice published it in Kafka. `not yet`: no good rebuild has begun since.",
    )

    title = "Events of new groups"
    same_as = "events tail"

    DEFAULT_CSS = """
    EventsPanel { height: 1fr; }
    EventsPanel Table { max-height: 60%; }
    EventsPanel #about { height: 1fr; margin-top: 1; border-top: dashed $rule; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._events: list[Event] = []
        self._rebuilt: datetime | None = None
        self._unknown = ""  # why it is not known when the last good rebuild began
        self._notice = ""
        self._following = False

    def compose(self) -> ComposeResult:
        columns: list[Column[Event]] = [
            Column("ago", lambda event: age(event.time).removesuffix(" ago"), right=True),
            Column("group", lambda event: foreign(event.group) or "?", flexible=True),
            Column("rebuilt since", self._since, self._style),
            Column("created", lambda event: moment(event.time), roomy=True),
            Column("at", lambda event: event.place, roomy=True),
        ]
        yield Table(columns, lambda event: event.place)
        yield VerticalScroll(Static(Content.styled("…", "$text-muted"), id="event"), id="about")

    @property
    def table(self) -> Table[Event]:
        return self.query_one(Table)

    @property
    def settled(self) -> bool:
        return self._following or self.problem is not None

    def leave(self) -> None:
        self.let_go()

    async def fetch(self) -> None:
        """Follow the topic until nobody looks any more; what is lost meanwhile is read when somebody looks again."""
        from toolkit.systems.kafka import Notice

        self._events, self._notice, new = [], "", 0
        self._following = True
        try:
            await self._ask_for_the_rebuild()
            async for item in each(lambda: self.session.core.group_events(BEFORE), "group events"):
                if isinstance(item, Notice):
                    self._notice = "" if item.over else item.text
                    self._tell()
                elif item is not None:
                    self._events.append(item)
                    self._notice, new = "", new + 1
                elif new or self.asking:
                    new = 0
                    self._show()
                    self.fresh()
                elif not self._notice:
                    self.fresh()  # nothing new, and nothing is wrong
        finally:
            self._following = False

    def answered(self, answer: None) -> None:
        del answer

    async def _ask_for_the_rebuild(self) -> None:
        """Without it the events are shown all the same."""
        try:
            self._rebuilt = await in_thread(self.session.core.last_good_rebuild, "last good rebuild")
            self._unknown = "" if self._rebuilt else "The cluster knows of no rebuild that went well."
        except ToolkitError as error:
            self._rebuilt, self._unknown = None, error.message

    def _show(self) -> None:
        latest = sorted(self._events, key=lambda event: event.order, reverse=True)[:MOST]
        self._events = latest[::-1]
        self.table.show(latest)
        missing = sum(self._since(event).startswith("✗") for event in latest)
        waiting = f", {missing} not cached yet" if missing else ""
        self.heading = f"Events of new groups  the last {len(latest):,}{waiting}" if latest else "Events of new groups"
        self._tell()

    def _since(self, event: Event) -> str:
        if self._rebuilt is None or event.time is None:
            return "? unknown"
        return "✗ not yet" if event.time >= self._rebuilt else "✓ yes"

    def _style(self, event: Event) -> str:
        return {"✗": "bold $text-warning", "✓": "$text-success"}.get(self._since(event)[0], "$text-muted")

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._tell()

    @on(Table.Moved)
    def _tell(self) -> None:
        """What the event in focus says, and what is wrong."""
        width = max(self.content_size.width - 1, 30)
        warning = Content.styled("! ", "bold $text-warning")
        lines = [hanging(warning, foreign(text), width) for text in (self._notice, self._unknown) if text]
        event = self.table.in_focus
        if event is None:
            lines.append(Content("No event yet: it is listened for new ones." if self._following else ""))
        else:
            lines += self._described(event, width)
        self.query_one("#event", Static).update(Content("\n").join(lines))

    def _described(self, event: Event, width: int) -> list[Content]:
        zone = self.session.environment.time_zone
        part = self.session.environment.kafka
        when = f"{moment(event.time)}, {moment(event.time, zone)}, {age(event.time)}"
        lines = [
            labelled("created", when if event.time else "the message has no time", width),
            labelled("at", f"{part.topic}, partition {event.partition}, offset {event.offset}", width),
        ]
        if event.problem:
            lines.append(labelled("problem", f"its message {foreign(event.problem)}", width, "$text-warning"))
        if self._since(event).startswith("✗"):
            name = self.session.environment.name
            text = f"to have it cached: toolkit cache rebuild --env {name}"
            lines.append(labelled("next", text, width, "$text-accent"))
        for key, value in (event.document or {}).items():
            text = value if isinstance(value, str) else json.dumps(value)
            lines.append(labelled(cut(foreign(key), 13), foreign(text), width, room=14))
        return lines


class EventsPage(Page):
    """On top of the page of the groups. Escape goes back."""

    page = "groups"
    AUTO_FOCUS = "Rows"

    def __init__(self) -> None:
        super().__init__(crumb="Events")

    def body(self) -> ComposeResult:
        yield EventsPanel(id="events")
