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
from toolkit.errors import ToolkitError
from toolkit.figures import age
from toolkit.secret import scrub
from toolkit.tui.about import About
from toolkit.tui.background import each, in_thread
from toolkit.tui.house import house
from toolkit.tui.registry import bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.widgets import findings, layers, runs
from toolkit.tui.widgets.findings import FindingList
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.wording import STYLES, counted, cut

if TYPE_CHECKING:
    from toolkit.actions.journal import Operation
    from toolkit.cache.groups import Overview
    from toolkit.tui.core import Manager


_ROOM = 4  # lines below the health list on a small terminal


Item = tuple[Status, str]


class Attention(Panel["list[Operation]"]):
    """What a person has to look at, most urgent first: half-done changes, broken hops, layers that disagree.

    The other panels `tell` it what they found; it says that nothing is wrong only when all of them have answered.
    """

    title = "Needs attention"
    every = 60.0
    SOURCES = ("journal", "health", "cache manager", "layers")

    DEFAULT_CSS = """
    Attention { max-height: 6; }
    Attention VerticalScroll { height: auto; max-height: 5; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._told: dict[str, Sequence[Item] | None] = dict.fromkeys(self.SOURCES)

    def compose(self) -> ComposeResult:
        yield VerticalScroll(Static(Content.styled("looking …", "$text-muted")), can_focus=False)

    def ask(self) -> list[Operation]:
        return self.session.core.unfinished()

    def answered(self, answer: list[Operation]) -> None:
        text = "{0.action} in {0.environment} was interrupted {1} ({2} shows it)"
        key = house(self).key_of("app.journal")
        self.tell("journal", [(Status.WARN, text.format(item, age(item.started), key)) for item in answer])

    def tell(self, source: str, items: Sequence[Item] | None) -> None:
        """What that panel found; None: it is still looking."""
        self._told[source] = items
        self._draw()

    def tell_down(self, source: str, problem: ToolkitError) -> None:
        """That panel could not be filled."""
        self.tell(source, [(Status.FAIL, f"{source}: {problem.message}")])

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw()

    def _draw(self) -> None:
        width = max(self.content_size.width, 30)
        lines = []
        for status, text in (item for source in self.SOURCES for item in self._told[source] or ()):
            head = Content.styled(f"{status.sign} {status}  ", STYLES[status])
            if self.screen.has_class("-tall"):
                lines.append(hanging(head, scrub(text), width))
            else:
                lines.append(Content.assemble(head, cut(scrub(text), width - head.cell_length)))
        if not lines and None in self._told.values():
            lines = [Content.styled("looking …", "$text-muted")]
        elif not lines:
            lines = [Content.styled("✓ ok  nothing needs you", "$text-success")]
        self.query_one(Static).update(Content("\n").join(lines))


class Health(Panel["tuple[str, ...]"]):
    """Every hop between here and the cache, filled as the answers come."""

    ABOUT = About(
        "Health, hop by hop",
        "Every hop depends on those above it: the first broken one is the one to mend. It is asked again "
        "every two minutes.",
    )

    title = "Health"
    same_as = "doctor"
    by_itself = True
    every = 120.0

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
        if not self.gently or tuple(listed.names) != names:
            listed.expect(names)
        self._describe()
        async for finding in each(core.hops, "hops"):
            listed.found(finding)
            if not self.gently:
                attention.tell("health", self._wrong(names) or None)
            self._describe()
        broken = self._broken(names)
        attention.tell("health", self._wrong(names))
        if broken and listed.highlighted == 0:
            listed.point_at(broken[0].name)
        return names

    def answered(self, answer: tuple[str, ...]) -> None:
        del answer  # every hop was shown as it came

    def broken(self, problem: ToolkitError) -> None:
        super().broken(problem)
        self.screen.query_one(Attention).tell_down("health", problem)

    def _wrong(self, names: Sequence[str]) -> list[Item]:
        broken = self._broken(names)
        if not broken:
            return []
        first, rest = broken[0], len(broken) - 1
        more = f" (and {counted(rest, 'more hop')} after it)" if rest else ""
        return [(first.status, f"first broken hop: {first.name}{more}: {first.summary}")]

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
        said = Content("\n").join(lines)
        if said.plain.count("\n") >= _ROOM:
            shown = said.split("\n")[: _ROOM - 1]
            said = Content("\n").join([*shown, Content.styled("… enter shows all of it", "$text-muted")])
        below.update(said)


class Layers(Panel["Overview"]):
    """Groups x layers, small."""

    title = "Layers"
    same_as = "groups list"
    by_itself = True
    every = 60.0

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
        found = [(Status.WARN, text) for text in layers.disagreements(answer, wanted)]
        self.screen.query_one(Attention).tell("layers", found)

    def broken(self, problem: ToolkitError) -> None:
        super().broken(problem)
        self.screen.query_one(Attention).tell_down("layers", problem)

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw()

    def _draw(self) -> None:
        if self._overview is not None:
            self.query_one(Static).update(layers.picture(self._overview, max(self.content_size.width, 30)))


class ManagerPanel(Panel["Manager"]):
    """The cache manager's last run, the one going on, the next."""

    title = "Cache manager"
    same_as = "cache status"
    by_itself = True
    every = 30.0

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("…", "$text-muted"))

    def ask(self) -> Manager:
        return self.session.core.cache_manager()

    def answered(self, answer: Manager) -> None:
        zone = self.session.environment.time_zone
        self.query_one(Static).update(Content("\n").join(runs.summary(answer, zone, max(self.content_size.width, 30))))
        self.screen.query_one(Attention).tell("cache manager", _wrong_with(answer))

    def broken(self, problem: ToolkitError) -> None:
        super().broken(problem)
        self.screen.query_one(Attention).tell_down("cache manager", problem)


def _wrong_with(manager: Manager) -> list[Item]:
    if manager.cronjob.suspended:
        return [(Status.WARN, f"{manager.cronjob.name} is suspended: no scheduled run will start.")]
    last = manager.last
    if last is not None and last.state == "failed" and manager.running is None:
        return [(Status.FAIL, f"the last rebuild failed {age(last.finished)}: {last.reason or 'see its log'}")]
    return []


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
    async def action_details(self) -> None:
        finding = self.query_one(FindingList).in_focus
        if finding is not None:
            await self.app.push_screen(TextPage(finding.name, partial(findings.details, finding)))


PAGE = Home
