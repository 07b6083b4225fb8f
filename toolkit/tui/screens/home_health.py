"""Home's health: every hop between here and the cache, filled as the answers come."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList, Static

from toolkit.checks.finding import Finding, Status
from toolkit.errors import ToolkitError
from toolkit.tui.about import About
from toolkit.tui.background import each, in_thread
from toolkit.tui.screens.home_attention import Attention
from toolkit.tui.widgets import findings
from toolkit.tui.widgets.findings import FindingList
from toolkit.tui.widgets.panel import Panel

_WELL = (Status.OK, Status.WARN, Status.SKIPPED)


class Health(Panel["tuple[str, ...]"]):
    """The hops in the order of their dependence, the first broken one under the cursor."""

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
    Health FindingList { height: 1fr; min-height: 3; }
    Health #finding { height: auto; max-height: 16; margin-top: 1; border-top: dashed $rule; }
    """

    def compose(self) -> ComposeResult:
        yield FindingList()
        yield Static("", id="finding")

    async def fetch(self) -> tuple[str, ...]:
        standing = self.session.core.standing
        attention = self.screen.query_one(Attention)
        names = await in_thread(standing.hop_names, "hops")
        self.remove_class("-broken")
        attention.hops = names
        listed = self.query_one(FindingList)
        if not self.gently or tuple(listed.names) != names:
            listed.expect(names)
        self._describe()
        async for finding in each(standing.hops, "hops"):
            listed.found(finding)
            if not self.gently:
                attention.hear("health", listed.findings.values(), whole=False)
            self._describe()
            self._count(names)
        attention.hear("health", listed.findings.values())
        broken = self._broken(names)
        if broken and listed.highlighted == 0:
            listed.point_at(broken[0].name)
        return names

    def answered(self, answer: tuple[str, ...]) -> None:
        del answer  # every hop was shown as it came

    def broken(self, problem: ToolkitError) -> None:
        super().broken(problem)
        self.screen.query_one(Attention).down("health", problem)

    def _broken(self, names: Sequence[str]) -> list[Finding]:
        found = self.query_one(FindingList).findings
        return [found[n] for n in names if n in found and found[n].status in (Status.FAIL, Status.UNKNOWN)]

    def _count(self, names: Sequence[str]) -> None:
        broken = len(self._broken(names))
        self.heading = f"Health ✗ {broken} broken" if broken else f"Health {len(names)} hops"

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._describe()

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        finding = self.query_one(FindingList).in_focus
        below = self.query_one("#finding", Static)
        below.update(findings.details(finding, max(self.content_size.width, 24)) if finding else Content(""))
