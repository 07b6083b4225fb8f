"""The L3 bucket: its folders as a tree that is listed as far as it is unfolded, and counted in the background."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from toolkit.errors import ToolkitError
from toolkit.figures import age, size
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import as_problem, each, in_thread
from toolkit.tui.registry import act, bindings
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import counted, foreign, moment

if TYPE_CHECKING:
    from toolkit.systems.bucket import Listing

SHOWN = 500  # objects of one folder; what is more is said, never left out silently


@dataclass
class Node:
    """A folder, an object, or a remark (`kind` "note") in the tree. `children` is None until a folder was listed."""

    path: str
    kind: str
    depth: int
    bytes: int | None = None
    objects: int | None = None
    updated: datetime | None = None
    children: list[Node] | None = None
    open: bool = False
    counted: bool = False
    problem: ToolkitError | None = None
    text: str = ""

    @property
    def name(self) -> str:
        if self.kind == "note":
            return self.text
        return foreign(self.path.rstrip("/").rpartition("/")[2]) + ("/" if self.kind == "folder" else "")

    @property
    def label(self) -> str:
        fold = "  "
        if self.kind == "folder":
            fold = "▾ " if self.open else "▸ "
        return "  " * self.depth + fold + self.name

    @property
    def amount(self) -> str:
        if self.kind != "folder":
            return ""
        if self.problem is not None:
            return "not counted"
        if self.objects is None:
            return "…"
        return f"{self.objects:,}" + ("" if self.counted else " …")

    @property
    def weight(self) -> str:
        return "" if self.kind == "note" else "…" if self.bytes is None else size(self.bytes)

    def visible(self) -> Iterator[Node]:
        yield self
        if self.open:
            for child in self.children or ():
                yield from child.visible()


COLUMNS: list[Column[Node]] = [
    Column("name", lambda n: n.label, lambda n: "bold" if n.kind == "folder" else "$text-muted", flexible=True),
    Column("objects", lambda n: n.amount, right=True),
    Column("bytes", lambda n: n.weight, right=True),
    Column("updated", lambda n: age(n.updated) if n.updated else "", right=True),
    Column("at", lambda n: moment(n.updated) if n.updated else "", roomy=True),
]


def nodes(listing: Listing, depth: int) -> list[Node]:
    """What lies in a folder, as nodes: folders first."""
    found = [Node(folder.path, "folder", depth) for folder in listing.folders]
    objects = [Node(o.path, "object", depth, bytes=o.bytes, updated=o.updated) for o in listing.objects]
    found += objects[:SHOWN]
    if len(objects) > SHOWN:
        found.append(Node("", "note", depth, text=f"… {SHOWN:,} of {len(objects):,} objects shown"))
    if not found:
        found.append(Node("", "note", depth, text="(empty)"))
    return found


class BucketPanel(Panel["Listing"]):
    """The tree."""

    ABOUT = About("The bucket", "Folders open with enter; their objects and bytes are counted in the background.")

    title = "Bucket"
    same_as = "bucket ls"

    DEFAULT_CSS = """
    BucketPanel { height: 1fr; }
    BucketPanel Table { height: 1fr; }
    BucketPanel #object { height: auto; max-height: 4; border-top: dashed $rule; color: $text-muted; }
    """

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, lambda node: node.path or node.label, enter=act("bucket.unfold").binding())
        yield Static("", id="object")

    def on_mount(self) -> None:
        super().on_mount()
        self._due = False
        self._top: list[Node] = []
        self._reopen: set[str] = set()
        part = self.session.environment.bucket
        self._bucket = part.name
        self._prefix = part.prefix.strip("/") + "/" if part.prefix.strip("/") else ""
        self.heading = f"gs://{self._bucket}/{self._prefix}"

    @property
    def table(self) -> Table[Node]:
        return self.query_one(Table)

    def ask(self) -> Listing:
        return self.session.core.folder(self._prefix)

    def answered(self, answer: Listing) -> None:
        self._reopen = {node.path for node in self._visible() if node.open}
        self._top = nodes(answer, 0)
        self._show()
        self._unfold_again(self._top)
        self._count()

    def leave(self) -> None:
        super().leave()
        for node in self._visible():
            if node.kind == "folder" and node.open and node.children is None:
                node.open = False  # its listing was not waited for

    def resume(self) -> None:
        """Go on counting where it was left."""
        if self._top:
            self._count()

    def toggle(self) -> None:
        """Unfold the folder under the cursor, or fold it."""
        node = self.table.in_focus
        if node is None or node.kind != "folder":
            return
        node.open = not node.open
        self._show()
        if node.open and node.children is None:
            background.work_for(self, partial(self._list, node), group=f"list {node.path}", exclusive=True)

    async def _list(self, node: Node) -> None:
        core = self.session.core
        try:
            listing = await in_thread(lambda: core.folder(node.path), f"list {node.path}")
        except Exception as error:  # noqa: BLE001 - one folder's problem is shown in its place; the tree works on
            node.children = None
            node.open = False
            problem = as_problem(error)
            self.notify(problem.message, title=f"{node.name} cannot be listed", severity="error", timeout=10)
        else:
            node.children = nodes(listing, node.depth + 1)
            self._unfold_again(node.children)
        self._show()
        self._count()

    def _unfold_again(self, below: list[Node]) -> None:
        for node in below:
            if node.path in self._reopen and node.kind == "folder":
                self._reopen.discard(node.path)
                node.open = True
                background.work_for(self, partial(self._list, node), group=f"list {node.path}", exclusive=True)

    def _count(self) -> None:
        background.work_for(self, self._counting, group="count", exclusive=True)

    async def _counting(self) -> None:
        """Count one folder after the other, those on top first; a folder that cannot be counted says so."""
        core = self.session.core
        while waiting := [n for n in self._visible() if n.kind == "folder" and not n.counted and n.problem is None]:
            node = waiting[0]
            try:
                async for objects, amount in each(partial(core.folder_size, node.path), f"count {node.path}"):
                    node.objects, node.bytes = objects, amount
                    self._show_soon()
            except Exception as error:  # noqa: BLE001
                node.problem = as_problem(error)
            node.counted = node.problem is None
            self._show_soon()

    def _visible(self) -> list[Node]:
        return [node for top in self._top for node in top.visible()]

    def _show(self) -> None:
        self._due = False
        self.table.show(self._visible())

    def _show_soon(self) -> None:
        """Show what was counted, a few times a second at most: there may be a thousand folders."""
        if not self._due:
            self._due = True
            self.set_timer(0.2, self._show)

    @on(Table.Moved)
    def _describe(self) -> None:
        node = self.table.in_focus
        lines = []
        folders = [top for top in self._top if top.kind == "folder"]
        if folders and all(top.counted for top in folders):
            amount = sum(top.bytes or 0 for top in self._top)
            objects = sum(top.objects or 1 for top in self._top)
            lines.append(f"{counted(len(folders), 'folder')}, {counted(objects, 'object')}, {size(amount)} in all")
        if node is not None and node.kind != "note":
            lines.append(f"gs://{self._bucket}/{node.path}")
            if node.problem is not None:
                lines.append(f"not counted: {node.problem.message}")
        self.query_one("#object", Static).update(Content("\n".join(lines)))


class BucketPage(Page):
    """The page on key 3."""

    page = "bucket"
    BINDINGS = bindings("bucket")
    AUTO_FOCUS = "RowList"

    def body(self) -> ComposeResult:
        yield BucketPanel(id="bucket")

    def enter(self) -> None:
        super().enter()
        self.query_one(BucketPanel).resume()

    @on(Table.Chosen)
    def action_unfold(self) -> None:
        self.query_one(BucketPanel).toggle()


PAGE = BucketPage
