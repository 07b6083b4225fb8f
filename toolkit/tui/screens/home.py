"""Home: what needs attention, health hop by hop, the layers, the cache manager. What one looks at first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from toolkit.checks.finding import Finding, Status
from toolkit.secret import scrub
from toolkit.tui.background import each, in_thread
from toolkit.tui.registry import bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets import findings, layers, runs
from toolkit.tui.widgets.findings import FindingList
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.wording import SIGNS, STYLES, age, counted

if TYPE_CHECKING:
    from toolkit.actions.journal import Operation
    from toolkit.cache.groups import Overview
    from toolkit.tui.core import Manager


class Attention(Panel["list[Operation]"]):
    """What a person has to look at, most urgent first: half-done changes, broken hops, layers that disagree."""

    title = "Needs attention"

    DEFAULT_CSS = """
    Attention { max-height: 6; }
    Attention VerticalScroll { height: auto; max-height: 5; }
    """

    def compose(self) -> ComposeResult:
        yield VerticalScroll(Static(Content.styled("looking …", "$text-muted")), can_focus=False)

    def on_mount(self) -> None:
        super().on_mount()
        self._unfinished: Sequence[Operation] | None = None
        self._health: Sequence[Finding] = ()
        self._looked = False
        self._layers: Sequence[str] = ()
        self._runs: tuple[Status, str] | None = None

    def ask(self) -> list[Operation]:
        return self.session.core.unfinished()

    def answered(self, answer: list[Operation]) -> None:
        self._unfinished = answer
        self._draw()

    def about_health(self, broken: Sequence[Finding], *, complete: bool) -> None:
        self._health, self._looked = broken, complete
        self._draw()

    def about_layers(self, disagreements: Sequence[str]) -> None:
        self._layers = disagreements
        self._draw()

    def about_runs(self, manager: Manager) -> None:
        self._runs = None
        if manager.cronjob.suspended:
            self._runs = (Status.WARN, f"{manager.cronjob.name} is suspended: no scheduled run will start.")
        last = manager.last
        if last is not None and last.state == "failed" and manager.running is None:
            self._runs = (Status.FAIL, f"the last rebuild failed {age(last.finished)}: {last.reason or 'see its log'}")
        self._draw()

    def _items(self) -> list[tuple[Status, str]]:
        items = [
            (Status.WARN, f"{item.title or item.action} in {item.environment} was interrupted {age(item.started)}: 5")
            for item in self._unfinished or ()
        ]
        if self._health:
            first, rest = self._health[0], len(self._health) - 1
            more = f" (and {counted(rest, 'more hop')} after it)" if rest else ""
            items.append((first.status, f"first broken hop: {first.name}{more}: {first.summary}"))
        if self._runs is not None:
            items.append(self._runs)
        return items + [(Status.WARN, text) for text in self._layers]

    def _draw(self) -> None:
        items = self._items()
        lines = [
            Content.assemble((f"{SIGNS[status]} {status} ", STYLES[status]), scrub(text).partition("\n")[0])
            for status, text in items
        ]
        if not lines:
            nothing = ("✓ ok  nothing needs you", "$text-success") if self._looked else ("looking …", "$text-muted")
            lines = [Content.assemble(nothing)]
        self.query_one(Static).update(Content("\n").join(lines))


class Health(Panel["tuple[str, ...]"]):
    """Every hop between here and the cache, filled as the answers come."""

    title = "Health"

    DEFAULT_CSS = """
    Health FindingList { height: 1fr; min-height: 4; }
    Health #finding { height: auto; max-height: 5; border-top: dashed $rule; }
    """

    def compose(self) -> ComposeResult:
        yield FindingList()
        yield Static("", id="finding")

    def ask(self) -> tuple[str, ...]:
        return self.session.core.hop_names()

    async def fetch(self) -> tuple[str, ...]:
        core = self.session.core
        attention = self.screen.query_one(Attention)
        names = await in_thread(self.ask, "hops")
        self.remove_class("-broken")
        listed = self.query_one(FindingList)
        listed.expect(names)
        self._describe()
        async for finding in each(core.hops, "hops"):
            listed.found(finding)
            attention.about_health(self._broken(names), complete=False)
            self._describe()
        attention.about_health(self._broken(names), complete=True)
        return names

    def answered(self, answer: tuple[str, ...]) -> None:
        del answer  # every hop was shown as it came

    def _broken(self, names: Sequence[str]) -> list[Finding]:
        found = self.query_one(FindingList).findings
        return [found[n] for n in names if n in found and found[n].status in (Status.FAIL, Status.UNKNOWN)]

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._describe()

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        finding = self.query_one(FindingList).in_focus
        below = self.query_one("#finding", Static)
        if finding is None:
            below.update("")
            return
        width = max(self.content_size.width, 24)
        if self.screen.has_class("-tall"):
            below.update(findings.details(finding, width))
            return
        lines = [hanging(Content(""), scrub(finding.summary), width, "$text-muted")]
        if finding.hint:
            lines.append(hanging(Content.styled("next ", "bold"), scrub(finding.hint), width))
        below.update(Content("\n").join(lines))


class Layers(Panel["Overview"]):
    """Groups x layers, small."""

    title = "Layers"

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("…", "$text-muted"))

    def on_mount(self) -> None:
        super().on_mount()
        self._overview: Overview | None = None

    def ask(self) -> Overview:
        return self.session.core.overview()

    def answered(self, answer: Overview) -> None:
        self._overview = answer
        self._draw()
        wanted = self.session.environment.cache.groups_in_redis
        self.screen.query_one(Attention).about_layers(layers.disagreements(answer, wanted))

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw()

    def _draw(self) -> None:
        if self._overview is not None:
            self.query_one(Static).update(layers.picture(self._overview, max(self.content_size.width, 30)))


class ManagerPanel(Panel["Manager"]):
    """The cache manager's last run, the one going on, the next."""

    title = "Cache manager"

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("…", "$text-muted"))

    def ask(self) -> Manager:
        return self.session.core.cache_manager()

    def answered(self, answer: Manager) -> None:
        zone = self.session.environment.time_zone
        self.query_one(Static).update(Content("\n").join(runs.summary(answer, zone, max(self.content_size.width, 30))))
        self.screen.query_one(Attention).about_runs(answer)


class Home(Page):
    """The page on key 1."""

    page = "home"
    BINDINGS = bindings("home")
    AUTO_FOCUS = "FindingList"

    DEFAULT_CSS = """
    Home {
        Attention { height: auto; }
        #columns { height: 1fr; }
        Health { width: 33; height: 100%; }
        #right { width: 1fr; height: 100%; overflow-y: auto; }
        &.-wide Health { width: 1fr; }
        &.-wide #right { width: 1fr; margin-left: 2; }
        &.-tall Panel { margin-bottom: 1; }
        &.-tall FindingList { height: auto; }
        &.-tall #finding { margin-top: 1; max-height: 16; }
    }
    """

    def body(self) -> ComposeResult:
        yield Attention(id="attention")
        with Horizontal(id="columns"):
            yield Health(id="health")
            with Vertical(id="right"):
                yield Layers(id="layers")
                yield ManagerPanel(id="manager")

    @on(OptionList.OptionSelected)
    def action_details(self) -> None:
        finding = self.query_one(FindingList).in_focus
        if finding is not None:
            self.app.push_screen(TextPage(finding.name, partial(findings.details, finding)))
