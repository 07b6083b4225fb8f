"""The bucket as a tree of rows: folders that are listed as far as they are opened, and what is marked in it.

Nothing here asks or draws. An object is its own row; a folder keeps its place when it is listed anew, so what is open,
counted and marked stays so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.cache.bucket_folders import FolderCount, Standing
    from toolkit.systems.bucket import Listing, ObjectInfo
    from toolkit.systems.bucket.names import Target


@dataclass(eq=False)
class Folder:
    """A folder. `listed`: all of its level is here; `fresh`: its `count` was made since somebody last asked."""

    path: str
    folders: dict[str, Folder] = field(default_factory=dict)
    objects: list[ObjectInfo] = field(default_factory=list)
    open: bool = False
    listed: bool = False
    listing: bool = False
    broke: ToolkitError | None = None
    count: FolderCount | None = None
    fresh: bool = False
    standing: Standing | None = None
    uncounted: ToolkitError | None = None
    _needle: str = ""
    _matched: list[ObjectInfo] = field(default_factory=list)
    _looked_at: int = 0
    _source: int = 0

    @property
    def level(self) -> int:
        """How many things its own level has so far."""
        return len(self.folders) + len(self.objects)

    def matching(self, needle: str) -> list[ObjectInfo]:
        """Its objects whose name holds `needle` (in small letters); each object is looked at once."""
        if not needle:
            return self.objects
        if (needle, id(self.objects)) != (self._needle, self._source) or len(self.objects) < self._looked_at:
            self._needle, self._source, self._matched, self._looked_at = needle, id(self.objects), [], 0
        new = islice(self.objects, self._looked_at, None)
        self._matched += [item for item in new if needle in item.path.lower()]
        self._looked_at = len(self.objects)
        return self._matched


@dataclass(frozen=True, eq=False)
class Note:
    """A remark in the tree, below the things of `folder`."""

    folder: Folder
    text: str
    wrong: bool = False


Row: TypeAlias = "Folder | Note | ObjectInfo"


class Relisting:
    """A folder's level as it comes anew, page by page: what was there stays until as much has come."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._folders: dict[str, Folder] = {}
        self._objects: list[ObjectInfo] = []
        self._swapped = False

    def take(self, page: Listing) -> list[Folder]:
        """Take a page in; gives back its folders."""
        known = self._folder.folders
        new = [known.get(found.path) or Folder(found.path) for found in page.folders]
        self._folders.update((one.path, one) for one in new)
        # A web console's mark of an empty folder has the folder's own name; it is shown only where it holds something.
        self._objects += [item for item in page.objects if item.path != self._folder.path or item.bytes]
        if self._swapped or len(self._folders) + len(self._objects) >= self._folder.level:
            self._swap()
        return new

    def end(self) -> None:
        """All of it has come."""
        self._swap()
        self._folder.listed = True

    def _swap(self) -> None:
        self._swapped = True
        self._folder.folders, self._folder.objects = self._folders, self._objects


def below(folder: Folder, needle: str = "") -> list[Row]:
    """The rows below a folder as far as it is unfolded; with a `needle` those whose path holds it, and what is above
    them."""
    found: list[Row] = []
    _gather(folder, needle, found)
    return found


def _gather(folder: Folder, needle: str, found: list[Row]) -> None:
    for path, child in folder.folders.items():  # pages come by name
        before = len(found)
        found.append(child)
        if child.open:
            _gather(child, needle, found)
        if needle and len(found) == before + 1 and needle not in path.lower():
            found.pop()
    found += folder.matching(needle)
    if folder.broke is not None:
        found.append(Note(folder, f"✗ the listing broke after {folder.level:,}", wrong=True))
    elif folder.listing:
        found.append(Note(folder, f"… {folder.level:,} so far …" if folder.level else "… listing …"))
    elif folder.listed and not folder.level and not needle:
        found.append(Note(folder, "(empty)"))


def opened(folder: Folder) -> Iterator[Folder]:
    """Every folder in it that is open, the upper ones first."""
    for child in folder.folders.values():
        if child.open:
            yield child
            yield from opened(child)


def shown_folders(folder: Folder) -> Iterator[Folder]:
    """Every folder that can be seen when all of the tree is scrolled through."""
    for child in folder.folders.values():
        yield child
        if child.open:
            yield from shown_folders(child)


def forebears(path: str) -> Iterator[str]:
    """The folders above a path, the topmost first."""
    at = path.find("/")
    while at != -1 and at + 1 < len(path):
        yield path[: at + 1]
        at = path.find("/", at + 1)


def path_of(row: Row) -> str:
    return row.folder.path if isinstance(row, Note) else row.path


@dataclass(frozen=True)
class Marked:
    """How much is marked. `whole`: every marked folder is counted."""

    folders: int
    alone: int
    objects: int
    bytes: int
    whole: bool


class Marks:
    """Folders and objects that are marked. What lies in a marked folder is marked with it, and not by itself."""

    def __init__(self) -> None:
        self._folders: dict[str, Folder] = {}
        self._objects: dict[str, ObjectInfo] = {}

    def __bool__(self) -> bool:
        return bool(self._folders or self._objects)

    def within(self, path: str) -> str:
        """The marked folder that `path` lies in; empty where there is none."""
        return next((above for above in forebears(path) if above in self._folders), "") if self._folders else ""

    def sign(self, row: Row) -> str:
        """`■` what is marked, `▪` what lies in a marked folder."""
        if isinstance(row, Note):
            return ""
        if row.path in self._folders if isinstance(row, Folder) else row.path in self._objects:
            return "■"
        return "▪" if self.within(row.path) else ""

    def add(self, row: Row) -> None:
        if isinstance(row, Note) or self.within(row.path):
            return
        if isinstance(row, Folder):
            for path in [path for path in self._objects if path.startswith(row.path)]:
                del self._objects[path]
            for path in [path for path in self._folders if path.startswith(row.path)]:
                del self._folders[path]
            self._folders[row.path] = row
        else:
            self._objects[row.path] = row

    def remove(self, row: Row) -> None:
        if isinstance(row, Folder):
            self._folders.pop(row.path, None)
        elif not isinstance(row, Note):
            self._objects.pop(row.path, None)

    def clear(self) -> None:
        self._folders.clear()
        self._objects.clear()

    def prune(self, folder: Folder) -> None:
        """`folder` was listed anew: drop the marks of what is not in it any more."""
        names = {item.path for item in folder.objects} if self._objects else set()
        gone = [p for p in self._objects if p.rpartition("/")[0] + "/" == (folder.path or "/") and p not in names]
        for path in gone:
            del self._objects[path]
        for path in [p for p in self._folders if p.startswith(folder.path) and p != folder.path]:
            top = folder.path + path[len(folder.path) :].partition("/")[0] + "/"
            if top not in folder.folders:
                del self._folders[path]

    def total(self) -> Marked:
        counts = [folder.count for folder in self._folders.values()]
        return Marked(
            len(self._folders),
            len(self._objects),
            len(self._objects) + sum(count.objects for count in counts if count is not None),
            sum(item.bytes for item in self._objects.values()) + sum(c.bytes for c in counts if c is not None),
            all(folder.fresh for folder in self._folders.values()),
        )

    def rows(self) -> list[Row]:
        """What is marked: folders first."""
        return [*self._folders.values(), *self._objects.values()]


def targets(rows: Iterable[Row]) -> list[Target]:
    """What the rows mean to whoever removes or fetches them: a folder with all in it, an object alone."""
    from toolkit.systems.bucket.names import Target

    return [Target(row.path, only=not isinstance(row, Folder)) for row in rows if not isinstance(row, Note)]
