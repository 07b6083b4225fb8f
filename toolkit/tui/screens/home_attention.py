"""Home's list of what needs a human: most urgent first, in a line each, with the runbook that leads on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from toolkit.checks.finding import Finding, Status
from toolkit.errors import ToolkitError
from toolkit.figures import age, duration
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import in_thread
from toolkit.tui.clock import ticks
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets import findings
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging, labelled
from toolkit.tui.wording import STYLES, cut, elided, foreign

if TYPE_CHECKING:
    from toolkit.actions.journal import Operation
    from toolkit.checks.attention import Item

OPERATION = "operation "  # begins the name of an item that is a change of the journal's
LOGIN = "vault-token"  # the item that a login mends
SOURCES = ("journal", "health", "layers", "L1", "cache manager", "image")
_IMAGE_EVERY = 300.0  # seconds; it is asked of a Git server and of Argo CD
_NAMED = 24  # cells that a runbook's name may take on a small terminal
_HEAD = 8
_HIGH = 50  # rows of a terminal with room for the evidence, too


def leads_to(item: Item) -> str:
    """What enter opens."""
    if item.name.startswith(OPERATION):
        return "→ journal"
    if item.name == LOGIN:
        return "→ log in"
    return f"→ {item.runbook}" if item.runbook else ""


def row(item: Item, width: int) -> Content:
    """One item in `width` cells."""
    whither = leads_to(item)
    whither = whither if width > 110 else elided(whither, _NAMED)
    room = width - _HEAD - len(whither) - 2
    text = cut(foreign(item.text), room)
    head = (f"{item.status.sign} {item.status:<{_HEAD - 2}.5}", STYLES[item.status])
    return Content.assemble(head, f"{text:<{room}}  ", (whither, "$text-accent"))


def details(item: Item, width: int) -> Content:
    """All of an item: its findings with evidence, and the commands by hand."""
    lines = [hanging(Content(""), foreign(item.text), width, "bold")]
    if item.runbook:
        lines.append(labelled("runbook", f"{item.runbook} (enter walks it)", width))
    for finding in item.findings:
        lines += [Content(""), findings.details(finding, width)]
    return Content("\n").join(lines)


class AttentionList(OptionList):
    """The items, with the cursor."""

    ABOUT = About(
        "What needs attention",
        "Most urgent first; behind the arrow is the runbook that leads on. Enter walks it in this environment, v "
        "shows the finding with its evidence and the commands by hand.",
    )
    BINDINGS = [*bindings("list"), act("home.open").binding()]  # noqa: RUF012
    DEFAULT_CSS = """
    AttentionList {
        height: auto; max-height: 4; border: none; padding: 0; background: transparent; text-wrap: nowrap;
        &:focus { border: none; background: transparent; background-tint: transparent; }
        & > .option-list--option { padding: 0; }
    }
    """

    def copy_text(self) -> str:
        panel = self.parent
        item = panel.in_focus if isinstance(panel, Attention) else None
        if item is None:
            return ""
        return "\n".join([foreign(item.text), leads_to(item), *(findings.as_text(one) for one in item.findings)])


class Attention(Panel["list[Operation]"]):
    """The other panels say what they found (`hear`); it asks for the journal, the image and the auto-loader by itself.

    It says that nothing needs anybody only when all have answered.
    """

    title = "Needs attention"
    every = 60.0

    DEFAULT_CSS = "Attention #evidence { height: auto; max-height: 12; border-top: dashed $rule; display: none; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.hops: tuple[str, ...] = ()
        self._items: list[Item] = []
        self._more: dict[str, list[Item]] = {}  # by source, what no finding says
        self._findings: dict[str, dict[str, Finding]] = {}  # by source
        self._heard: dict[str, float] = {}  # by source, when it last said all it had to say
        self._image_at: float | None = None
        self._complete = False

    def compose(self) -> ComposeResult:
        yield AttentionList()
        yield Static("", id="evidence")

    @property
    def listed(self) -> AttentionList:
        return self.query_one(AttentionList)

    @property
    def in_focus(self) -> Item | None:
        """The item under the cursor."""
        at = self.listed.highlighted
        return self._items[at] if at is not None and at < len(self._items) else None

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(1, self._tick_nothing)
        self._draw()

    # What it asks itself

    def load(self, *, gently: bool = False) -> None:
        super().load(gently=gently)
        due = self._image_at is None or ticks() - self._image_at >= _IMAGE_EVERY
        if due or not gently:
            background.work_for(self, self._ask_image, group="image", exclusive=True)
            if self.session.environment.configome.remote:
                background.work_for(self, self._ask_loader, group="loader", exclusive=True)

    def outdate(self) -> None:
        super().outdate()
        self._image_at = None

    def ask(self) -> list[Operation]:
        return self.session.core.unfinished()

    def answered(self, answer: list[Operation]) -> None:
        from toolkit.checks.attention import Item

        text = "{0.action} in {0.environment} was interrupted {1}: half done?"
        self._more["journal"] = [
            Item(f"{OPERATION}{item.operation}", Status.WARN, text.format(item, age(item.started))) for item in answer
        ]
        self.hear("journal", ())

    def broken(self, problem: ToolkitError) -> None:
        """A journal that cannot be read is an item: the others are shown all the same."""
        self.down("journal", problem)
        self.fresh()

    async def _ask_image(self) -> None:
        try:
            finding = await in_thread(self.session.core.standing.image, "image")
        except ToolkitError as problem:
            self.down("image", problem)
        else:
            self._image_at = ticks()
            self.hear("image", (finding,))
            self.session.looked("image check", by_itself=True)

    async def _ask_loader(self) -> None:
        """Only where configome is configured; nobody waits for it."""
        try:
            found = await in_thread(self.session.core.standing.loader, "loader")
        except ToolkitError as problem:
            self.down("loader", problem)
        else:
            self.hear("loader", found)
            self.session.looked("loader check", by_itself=True)

    # What the others tell

    def hear(self, source: str, found: Iterable[Finding], *, whole: bool = True) -> None:
        """What that source found, in place of what it said before; not `whole`: more is to come."""
        self._findings[source] = {finding.name: finding for finding in found}
        if source != "journal":
            self._more.pop(source, None)
        if whole:
            self._heard[source] = ticks()
        self._draw()

    def down(self, source: str, problem: ToolkitError) -> None:
        """That source could not be asked."""
        from toolkit.checks.attention import Item

        said = Finding(source, Status.FAIL, problem.message, problem.hint, by_hand=problem.by_hand)
        runbook = {"layers": "connect-to-redis", "cache manager": "reload-the-groups"}.get(source, "")
        self._findings[source] = {}
        self._more[source] = [Item(source, Status.FAIL, f"{source}: {problem.message}", runbook, (said,))]
        self._heard[source] = ticks()
        self._draw()

    def _all(self) -> list[Item]:
        from toolkit.checks import attention

        found = {name: finding for source in self._findings.values() for name, finding in source.items()}
        hop_broken = any(f.status is Status.FAIL for name, f in found.items() if name in self.hops)
        more = [
            item
            for source, items in self._more.items()
            for item in items
            if not (hop_broken and source in ("layers", "cache manager"))  # the broken hop says why
        ]
        return attention.items(found, self.hops, more)

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        # Until all have answered once, the cursor is on the most urgent; then it stays on what a person looks at.
        before = self.in_focus if self._complete else None
        self._complete = all(source in self._heard for source in SOURCES)
        self._items = self._all()
        width = max(self.content_size.width, 30)
        drawn = [row(item, width) for item in self._items] or [self._nothing()]
        listed = self.listed
        listed.clear_options()
        listed.add_options([Option(one) for one in drawn])
        names = [item.name for item in self._items]
        listed.highlighted = names.index(before.name) if before is not None and before.name in names else 0
        self.heading = f"{self.title} {len(self._items)}" if self._items else self.title
        self._show_evidence()

    @on(OptionList.OptionHighlighted)
    def _show_evidence(self) -> None:
        """What is known of the item under the cursor, where the terminal has room for it."""
        item, below = self.in_focus, self.query_one("#evidence", Static)
        below.display = item is not None and self.app.size.height >= _HIGH
        if item is not None and below.display:
            below.update(details(item, max(self.content_size.width, 30)))

    def _tick_nothing(self) -> None:
        """How long ago it was looked, said anew each second."""
        if not self._items and self.screen.is_current and self.listed.option_count:
            self.listed.replace_option_prompt_at_index(0, self._nothing())

    def _nothing(self) -> Content:
        waited: Sequence[str] = [source for source in SOURCES if source not in self._heard]
        if waited:
            return Content.styled(f"looking … at {', '.join(waited)}", "$text-muted")
        oldest = duration(ticks() - min(self._heard.values()))
        looked = f"; {', '.join(SOURCES)} looked at within the last {oldest if oldest != '0s' else '1s'}"
        if self.content_size.width < 96:
            looked = f"; {looked[2:]}".replace(f"{', '.join(SOURCES)} ", f"all {len(SOURCES)} sources ")
        return Content.assemble(("✓ ok  nothing needs you", "$text-success"), (looked, "$text-muted"))
