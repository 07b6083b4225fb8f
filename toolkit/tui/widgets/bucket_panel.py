"""The panel of the bucket's folders: lists what is opened, counts side by side, keeps the marks, draws the tree."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from toolkit.figures import age, size
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import as_problem, each, in_thread
from toolkit.tui.bucket_tree import Folder, Marks, Note, Relisting, Row, below, forebears, opened, shown_folders
from toolkit.tui.house import house
from toolkit.tui.registry import act
from toolkit.tui.widgets import bucket_rows as rows
from toolkit.tui.widgets.panel import Panel
from toolkit.tui.widgets.table import Column, Table
from toolkit.tui.wording import counted, cut, foreign

if TYPE_CHECKING:
    from toolkit.cache.bucket_folders import Index, Standing
    from toolkit.systems.bucket import ObjectInfo

_SIDE_BY_SIDE = 4  # folders that are counted at once
_PAUSE = 0.2  # seconds between two looks of what grows


class BucketPanel(Panel[Folder]):
    """The tree."""

    ABOUT = About(
        "The bucket",
        "Folders open with → or enter; their objects and bytes are counted in the background, … says still counting. "
        "■ is marked, ▪ lies in a marked folder. ★ default and number N are groups that the app offers, left behind "
        "ones it does not; ✗ 5/8 says how many frames there are of those that there should be.",
    )

    title = "Bucket"
    same_as = "bucket ls"

    DEFAULT_CSS = """
    BucketPanel, BucketPanel Table, BucketPanel Rows { height: 1fr; }
    BucketPanel #total { height: 1; text-wrap: nowrap; }
    BucketPanel #object { height: auto; max-height: 4; border-top: dashed $rule; color: $text-muted; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.root = Folder("", open=True)
        self.marks = Marks()
        self.needle = ""
        self.known: Index | None = None
        self._queue: deque[Folder] = deque()
        self._counting: set[str] = set()
        self._due = False
        self._watched = False  # whether somebody looks
        self._way: list[str] = []  # folders still to be opened on the way to what is pointed at

    def compose(self) -> ComposeResult:
        yield Static("", id="total")
        own = [act(f"bucket.{name}").binding() for name in ("unfold", "open", "close")]
        yield Table(self._columns(), rows.key, own=own, sign=self.marks.sign, copied=self.url)
        yield Static("", id="object")

    def on_mount(self) -> None:
        super().on_mount()
        part = self.session.environment.bucket
        prefix = part.prefix.strip("/")
        self.root.path = f"{prefix}/" if prefix else ""
        self._bucket = part.name
        self.heading = f"gs://{self._bucket}/{foreign(self.root.path)}"

    def _columns(self) -> list[Column[Row]]:
        depth, standing = self._depth, self._standing
        return [
            Column("name", lambda row: f"{'  ' * depth(row)}{rows.label(row)}", rows.style, flexible=True),
            Column("group", lambda row: rows.use(row, standing(row)), lambda row: rows.use_style(standing(row))),
            Column("objects", rows.amount, right=True),
            Column("size", rows.weight, right=True),
            Column("newest", rows.aged, right=True),
            Column("at", rows.at, roomy=True),
        ]

    @property
    def table(self) -> Table[Row]:
        return self.query_one(Table)

    @property
    def row(self) -> Folder | ObjectInfo | None:
        """The folder or object under the cursor."""
        row = self.table.in_focus
        return None if isinstance(row, Note) else row

    @property
    def chosen(self) -> list[Row]:
        """What is marked, else what is under the cursor; says so where there is nothing."""
        if self.marks:
            return self.marks.rows()
        if self.row is None:
            self.notify("Mark something first (space).", severity="warning")
            return []
        return [self.row]

    def url(self, row: Row) -> str:
        """gs://… of a row."""
        return f"gs://{self._bucket}/{row.folder.path if isinstance(row, Note) else row.path}"

    def named(self, chosen: Sequence[Row]) -> str:
        """The rows in a few words."""
        if len(chosen) == 1:
            return self.url(chosen[0])
        folders = sum(isinstance(row, Folder) for row in chosen)
        parts = [counted(folders, "folder")] if folders else []
        if len(chosen) > folders:
            parts.append(counted(len(chosen) - folders, "object"))
        return f"{' and '.join(parts)} of gs://{self._bucket}"

    # Listing

    async def fetch(self) -> Folder:
        """The top level, page by page; raises only where nothing of it came."""
        self._watched = True
        background.work_for(self, self._ask_index, group="index", exclusive=True)
        self._queue.clear()
        for folder in shown_folders(self.root):
            folder.fresh, folder.uncounted, folder.listed = False, None, False
        await self._list(self.root)
        if self.root.broke is not None and not self.root.level:
            raise self.root.broke
        return self.root

    def answered(self, answer: Folder) -> None:
        for folder in opened(answer):
            self._begin_listing(folder)
        self._show()

    def outdate(self) -> None:
        super().outdate()
        operation = house(self).operation
        if operation is not None and operation.name == "bucket.remove" and operation.started is not None:
            self.marks.clear()

    def leave(self) -> None:
        self._watched = False
        if self.root.level:  # else the first page is on its way yet
            self.let_go()
            self._workers_done()

    def resume(self) -> None:
        """Go on listing and counting where it was left."""
        self._watched = True
        if self.root.level and not self.asking:
            if not self.root.listed and self.root.broke is None:
                self.load()
                return
            for folder in opened(self.root):
                if not folder.listed and folder.broke is None:
                    self._begin_listing(folder)
            self._queue = deque(folder for folder in shown_folders(self.root) if not folder.fresh)
            self._count()

    def _workers_done(self) -> None:
        self._counting.clear()
        for folder in (self.root, *shown_folders(self.root)):
            folder.listing = False

    def _begin_listing(self, folder: Folder) -> None:
        if not folder.listing:
            background.work_for(self, partial(self._list, folder), group=f"list {folder.path}", exclusive=True)

    async def _list(self, folder: Folder) -> None:
        """List a folder's level; what breaks in the middle leaves what has come, and says so in its place."""
        core, anew = self.session.core, Relisting(folder)
        folder.listing, folder.broke, folder.listed = True, None, False
        self._show_soon()
        try:
            async for page in each(partial(core.folder_pages, folder.path), f"list {folder.path}"):
                self._queue.extend(found for found in anew.take(page) if not found.fresh)
                self._show_soon()
            anew.end()
            self.marks.prune(folder)
        except Exception as error:  # noqa: BLE001 - one folder's problem is shown in its place; the tree works on
            folder.broke = as_problem(error)
        finally:
            folder.listing = False
        self._on_the_way()
        self._show()

    async def _ask_index(self) -> None:
        core = self.session.core
        try:
            self.known = await in_thread(core.index, "groups of the index")
        except Exception:  # noqa: BLE001 - a pattern that cannot work: no folder is any group's
            self.known = None
        for folder in shown_folders(self.root):
            folder.standing = None
        self._show_soon()

    # Counting

    def _count(self) -> None:
        while self._watched and self._queue and len(self._counting) < _SIDE_BY_SIDE:
            folder = self._queue.popleft()
            if not folder.fresh and folder.uncounted is None and folder.path not in self._counting:
                self._counting.add(folder.path)
                background.work_for(self, partial(self._count_one, folder), group="count")

    async def _count_one(self, folder: Folder) -> None:
        core, known = self.session.core, self.known
        try:
            async for found in each(partial(core.folder_count, folder.path, known), f"count {folder.path}"):
                if found.whole or folder.count is None or found.objects >= folder.count.objects:
                    folder.count, folder.standing = found, None
                folder.fresh = found.whole
                self._show_soon()
        except Exception as error:  # noqa: BLE001 - said in its place
            folder.uncounted = as_problem(error)
        self._counting.discard(folder.path)
        self._count()
        self._show_soon()

    # What a person does

    def toggle(self) -> None:
        """Open the folder under the cursor, or close it; list again what broke."""
        row = self.table.in_focus
        if isinstance(row, Note):
            if row.folder.broke is not None:
                self._retry(row.folder)
        elif isinstance(row, Folder):
            if row.open:
                row.open = False
                self._show()
            else:
                self._open(row)

    def open_or_enter(self) -> None:
        row = self.table.in_focus
        if isinstance(row, Note) and row.folder.broke is not None:
            self._retry(row.folder)
        elif isinstance(row, Folder) and not row.open:
            self._open(row)
        elif isinstance(row, Folder) and row.level:
            self.table.rows.action_cursor_down()

    def close_or_leave(self) -> None:
        row = self.table.in_focus
        if isinstance(row, Folder) and row.open:
            row.open = False
            self._show()
        elif row is not None:
            path = row.folder.path if isinstance(row, Note) else row.path
            above = next(reversed([*forebears(path.rstrip("/"))]), "")
            around = row.folder.path if isinstance(row, Note) else above
            if len(around) > len(self.root.path):
                self.table.point_at(around)

    def point_at(self, path: str) -> None:
        """Put the cursor on that folder or object, opening what it lies in."""
        self._way = [*forebears(path)]
        self.table.point_at(path)
        self.table.rows.focus()
        self._on_the_way()

    def mark(self) -> None:
        row = self.row
        if row is None:
            return
        if self.marks.sign(row) == "■":
            self.marks.remove(row)
        elif within := self.marks.within(row.path):
            self.notify(f"It is marked with {foreign(within)}, which it lies in.", severity="warning")
            return
        else:
            self.marks.add(row)
        self._show()
        self.table.rows.action_cursor_down()

    def mark_all(self) -> None:
        """With a filter all that it shows by name; else all that is beside the row under the cursor."""
        if self.needle:
            for row in self.table.things:
                if not isinstance(row, Folder) or self.needle in rows.name(row).lower():
                    self.marks.add(row)
        else:
            around = self._around(self.table.in_focus)
            for folder in around.folders.values():
                self.marks.add(folder)
            for item in around.objects:
                self.marks.add(item)
        self._show()

    def unmark(self) -> None:
        self.marks.clear()
        self._show()

    def filter(self, needle: str) -> None:
        self.needle = needle
        self._show()

    def _open(self, folder: Folder) -> None:
        folder.open = True
        if not folder.listed:
            self._begin_listing(folder)
        self._show()

    def _retry(self, folder: Folder) -> None:
        if folder is self.root:
            self.load()
        else:
            self._begin_listing(folder)

    def _around(self, row: Row | None) -> Folder:
        if row is None or isinstance(row, Note):
            return row.folder if row is not None else self.root
        here = self.root
        for path in forebears(row.path.rstrip("/")):
            here = here.folders.get(path, here)
        return here

    def _on_the_way(self) -> None:
        here = self.root
        for path in self._way:
            if len(path) <= len(self.root.path):
                continue
            found = here.folders.get(path)
            if found is None:
                return  # it is opened when its level has come
            here = found
            if not found.open:
                self._open(found)
        self._way = []

    # Drawing

    def _show(self) -> None:
        self._due = False
        if not self.is_attached:
            return
        self._count()
        self.table.show(below(self.root, self.needle))

    def _show_soon(self) -> None:
        """Show what has come, a few times a second at most: there may be a thousand folders."""
        if not self._due and self.is_attached:
            self._due = True
            self.set_timer(_PAUSE, self._show)

    def _depth(self, row: Row) -> int:
        deeper = isinstance(row, Note) and row.folder is not self.root
        path = row.folder.path if isinstance(row, Note) else row.path
        return path.rstrip("/").count("/") - self.root.path.count("/") + deeper if path != self.root.path else 0

    def _standing(self, row: Row) -> Standing | None:
        if not isinstance(row, Folder) or row.count is None or not row.count.whole or self.known is None:
            return None
        if row.standing is None:
            from toolkit.cache.bucket_folders import standing

            row.standing = standing(row.count, self.known)
        return row.standing

    @on(Table.Moved)
    def _describe(self) -> None:
        self.query_one("#total", Static).update(self._total())
        width = max(self.content_size.width - 2, 30)
        lines: list[Content] = []
        if self.marks:
            lines.append(Content.styled(cut(rows.marked(self.marks.total()), width), "bold $text-accent"))
        row = self.table.in_focus
        if row is not None:
            lines.append(Content(cut(foreign(self.url(row)), width)))
        if isinstance(row, Note) and row.wrong and row.folder.broke is not None:
            said = " ".join(filter(None, (row.folder.broke.message, row.folder.broke.hint, "Enter lists it again.")))
            lines.append(Content.styled(foreign(said), "$text-warning"))
        elif isinstance(row, Folder) and row.uncounted is not None:
            lines.append(Content(foreign(f"not counted: {row.uncounted.message}")))
        elif (found := self._standing(row) if row is not None else None) is not None:
            lines.append(Content(foreign(found.why)))
        self.query_one("#object", Static).update(Content("\n").join(lines))

    def _total(self) -> Content:
        """All of it: how much, how new, what is left behind; and what is still being counted."""
        folders = list(self.root.folders.values())
        waiting = sum(not folder.fresh and folder.uncounted is None for folder in folders)
        counts = [folder.count for folder in folders if folder.count is not None]
        objects = len(self.root.objects) + sum(count.objects for count in counts)
        amount = sum(item.bytes for item in self.root.objects) + sum(count.bytes for count in counts)
        text = f"{counted(len(folders), 'folder')}, {counted(objects, 'object')}, {size(amount)} "
        if self.root.listing:
            text += "so far, still listing"
        elif waiting:
            text += f"so far, still counting {waiting:,} of {counted(len(folders), 'folder')}"
        else:
            uncounted = sum(folder.uncounted is not None for folder in folders)
            text += "in all" if not uncounted else f"without {counted(uncounted, 'folder')} that cannot be counted"
        newest = [item.updated for item in self.root.objects] + [c.updated for c in counts if c.updated is not None]
        found = [one for one in map(self._standing, folders) if one is not None]
        behind, lacking = sum(one.use == "left behind" for one in found), sum(one.incomplete for one in found)
        parts = [Content(text)]
        if lacking:
            parts.append(Content.styled(f"✗ {lacking:,} incomplete", "bold $text-error"))
        if behind:
            parts.append(Content.styled(f"{behind:,} left behind", "$text-warning"))
        if self.known is not None and self.known.problem:
            parts.append(Content.styled("? Redis cannot say which groups are used", "$text-warning"))
        if newest:
            parts.append(Content.styled(f"newest {age(max(newest)).removesuffix(' ago')}", "$text-muted"))
        if self.needle:
            parts.insert(1, Content.styled(f"filter: {len(self.table.things):,} rows", "bold"))
        return Content("  ").join(parts)
