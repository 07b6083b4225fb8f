"""What was deleted from the bucket and is still kept: when, how much, how long still; and restoring it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from toolkit.errors import ToolkitError
from toolkit.figures import age, duration, size
from toolkit.tui.about import About
from toolkit.tui.background import each, in_thread
from toolkit.tui.registry import bindings
from toolkit.tui.screens.bucket_rows import BucketRows
from toolkit.tui.widgets.filter import Filter
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.prose import hanging
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import counted, cut, foreign, moment

if TYPE_CHECKING:
    from datetime import datetime

    from toolkit.systems.bucket import BucketInfo, ObjectInfo
    from toolkit.systems.bucket.names import Target

_PAUSE = 0.2
_SHORT = timedelta(days=1)


def key(item: ObjectInfo) -> str:
    return f"{item.path}#{item.generation}"


def left(item: ObjectInfo, now: datetime | None = None) -> str:
    """How long it is still kept: `6d 2h`."""
    if item.kept_until is None:
        return "?"
    text = age(item.kept_until, now)
    return text.removeprefix("in ") if text.startswith("in ") else "passed"


class DeletedPanel(Panel["list[ObjectInfo]"]):
    """The generations that are kept, the last deleted first."""

    ABOUT = About(
        "Deleted, and kept a while",
        "Each row is one generation of an object that was deleted or written over. It can be restored as long as the "
        "bucket's soft-delete policy keeps it: the last column says how long still. Of one name one generation can be "
        "marked. What lives under that name now stays as it is.",
    )

    title = "Deleted"
    DEFAULT_CSS = """
    DeletedPanel, DeletedPanel Table, DeletedPanel Rows { height: 1fr; }
    DeletedPanel #policy, DeletedPanel #about { height: auto; max-height: 3; }
    DeletedPanel #about { border-top: dashed $rule; color: $text-muted; }
    """

    def __init__(self, prefix: str) -> None:
        super().__init__(id="deleted")
        self._prefix = prefix
        self.needle = ""
        self.marked: dict[str, ObjectInfo] = {}  # by name: of each one generation
        self._found: list[ObjectInfo] = []
        self._info: BucketInfo | ToolkitError | None = None
        self._broke: ToolkitError | None = None
        self._listing = self._due = False

    def compose(self) -> ComposeResult:
        yield Static("", id="policy")
        columns: list[Column[ObjectInfo]] = [
            Column("name", lambda item: foreign(item.path.removeprefix(self._prefix)), flexible=True),
            Column("deleted ago", lambda item: age(item.soft_deleted_at).removesuffix(" ago"), right=True),
            Column("size", lambda item: size(item.bytes), right=True),
            Column("kept for", left, lambda item: "$text-warning" if _short(item) else "", right=True),
            Column("until", lambda item: moment(item.kept_until), roomy=True),
            Column("generation", lambda item: str(item.generation), roomy=True),
        ]
        yield Table(columns, key, sign=self.sign, copied=self.url)
        yield Static("", id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self._bucket = self.session.environment.bucket.name
        self.heading = f"Deleted from gs://{self._bucket}/{foreign(self._prefix)}"

    @property
    def table(self) -> Table[ObjectInfo]:
        return self.query_one(Table)

    def url(self, item: ObjectInfo) -> str:
        return f"gs://{self._bucket}/{key(item)}"

    def sign(self, item: ObjectInfo) -> str:
        marked = self.marked.get(item.path)
        return "■" if marked is not None and marked.generation == item.generation else ""

    async def fetch(self) -> list[ObjectInfo]:
        """Everything that is kept, page by page; raises only where nothing of it came."""
        core = self.session.core
        self._listing, self._broke = True, None
        found: list[ObjectInfo] = []
        try:
            try:
                self._info = await in_thread(core.bucket_info, "look at the bucket")
            except ToolkitError as error:
                self._info = error
            async for page in each(partial(core.deleted_pages, self._prefix), "list what is deleted"):
                found += page.objects
                if len(found) >= len(self._found):
                    self._found = found
                self._show_soon()
            self._found = found
        except ToolkitError as error:
            if not self._found and not self.off:
                raise
            self._broke = None if self.off else error
        finally:
            self._listing = False
        return self._found

    def answered(self, answer: list[ObjectInfo]) -> None:
        del answer
        there = {key(item) for item in self._found}
        self.marked = {path: item for path, item in self.marked.items() if key(item) in there}
        self._show()

    @property
    def off(self) -> bool:
        """Whether the bucket is known to keep nothing."""
        info = self._info
        return info is not None and not isinstance(info, ToolkitError) and not info.soft_delete_seconds

    @property
    def chosen(self) -> list[Target]:
        from toolkit.systems.bucket.names import Target

        here = self.table.in_focus
        items = list(self.marked.values()) or ([here] if here is not None else [])
        return [Target(item.path, item.generation, only=True) for item in items]

    def mark(self) -> None:
        item = self.table.in_focus
        if item is None:
            return
        if self.sign(item):
            del self.marked[item.path]
        else:
            if item.path in self.marked:
                self.notify("Another generation of it was marked; now it is this one.")
            self.marked[item.path] = item
        self._show()
        self.table.rows.action_cursor_down()

    def mark_all(self) -> None:
        """All that is shown; of a name that is there more than once the last generation."""
        for item in self.table.things:
            before = self.marked.get(item.path)
            if before is None or item.generation > before.generation:
                self.marked[item.path] = item
        self._show()

    def unmark(self) -> None:
        self.marked.clear()
        self._show()

    def filter(self, needle: str) -> None:
        self.needle = needle
        self._show()

    def _show(self) -> None:
        self._due = False
        if not self.is_attached:
            return
        shown = [item for item in self._found if self.needle in item.path.lower()] if self.needle else self._found
        self.table.show(sorted(shown, key=_latest))

    def _show_soon(self) -> None:
        if not self._due and self.is_attached:
            self._due = True
            self.set_timer(_PAUSE, self._show)

    @on(Table.Moved)
    def _describe(self) -> None:
        width = max(self.content_size.width - 2, 30)
        self.query_one("#policy", Static).update(hanging(Content(""), self._policy(), width, self._policy_style()))
        lines = []
        if self.marked:
            total = size(sum(item.bytes for item in self.marked.values()))
            text = f"■ {counted(len(self.marked), 'object')} marked, {total}"
            lines.append(Content.styled(text, "bold $text-accent"))
        item = self.table.in_focus
        if item is not None:
            lines.append(Content(cut(foreign(self.url(item)), width)))
        self.query_one("#about", Static).update(Content("\n").join(lines))

    def _policy(self) -> str:
        """What the bucket keeps, and how much of it there is."""
        if self._info is None:
            return "…"
        amount = f"{counted(len(self._found), 'object')}, {size(sum(item.bytes for item in self._found))}"
        if isinstance(self._info, ToolkitError):
            said = f"How long the bucket keeps what is deleted is not known: {self._info.message}"
        elif self.off:
            said = "Soft delete is off in this bucket: what is deleted is gone for good, and nothing can be restored."
            if not self._found:
                return said
        else:
            kept = duration(self._info.soft_delete_seconds)
            if not self._found and not self._listing:
                return (
                    f"Nothing is kept: nothing was deleted or written over in the last {kept}, which is as long as "
                    "this bucket keeps it. What was deleted before that is gone."
                )
            said = f"The bucket keeps what is deleted for {kept}."
        if self._broke is not None:
            amount += f" so far; then the listing broke (r lists again): {self._broke.message}"
        elif self._listing:
            amount += " so far …"
        return foreign(f"{said} {amount}")

    def _policy_style(self) -> str:
        return "$text-warning" if self.off or self._broke is not None or isinstance(self._info, ToolkitError) else ""


class DeletedPage(BucketRows):
    """On top of the page of the folders."""

    SCOPE = "bucket-deleted"
    BINDINGS = bindings("bucket-deleted")

    def __init__(self, prefix: str) -> None:
        super().__init__(crumb="Deleted")
        self._prefix = prefix

    def body(self) -> ComposeResult:
        yield DeletedPanel(self._prefix)
        yield Filter(placeholder="a part of a name …", id="filter", select_on_focus=False)

    @property
    def panel(self) -> DeletedPanel:
        return self.query_one(DeletedPanel)

    @on(Table.Chosen)
    def action_info(self) -> None:
        item = self.panel.table.in_focus
        if item is not None:
            self.show_details(item)

    async def action_restore(self) -> None:
        wanted = self.panel.chosen
        if not wanted:
            self.notify("There is nothing to restore.", severity="warning")
            return
        core = self.session.core
        await self.take_to_the_gate(lambda: core.restore(wanted), "Nothing can be restored")


def _latest(item: ObjectInfo) -> tuple[float, str]:
    return (-item.soft_deleted_at.timestamp() if item.soft_deleted_at else 0.0, item.path)


def _short(item: ObjectInfo) -> bool:
    from datetime import UTC, datetime

    return item.kept_until is not None and item.kept_until - datetime.now(UTC) < _SHORT
