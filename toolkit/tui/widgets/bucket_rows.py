"""How the rows of the bucket's tree are written: names, amounts, what a folder is to the app, what is marked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from toolkit.figures import age, size
from toolkit.tui.bucket_tree import Folder, Marked, Note, Row
from toolkit.tui.wording import counted, foreign, moment

if TYPE_CHECKING:
    from toolkit.cache.bucket_folders import Standing


def use(row: Row, found: Standing | None) -> str:
    """What a folder is to the app, in a word or two; `…` while it is not known yet."""
    if found is None:
        return "…" if isinstance(row, Folder) and row.uncounted is None else ""
    lacks = f"✗ {found.frames}/{found.expected} " if found.incomplete else ""
    words = {
        "default": "★ default",
        "in the index": f"number {found.rank}",
        "several groups": f"{found.groups} groups",
        "no group": "- no group",
        "not known": "? not known",
    }
    return lacks + words.get(str(found.use), str(found.use))


def use_style(found: Standing | None) -> str:
    if found is None:
        return "$text-muted"
    if found.incomplete:
        return "bold $text-error"
    if str(found.use) in ("left behind", "not known"):
        return "$text-warning"
    return "$text-success" if found.rank is not None else "$text-muted"


def marked(total: Marked) -> str:
    """How much is marked."""
    parts = [counted(total.folders, "folder")] if total.folders else []
    parts += [counted(total.alone, "object")] if total.alone else []
    text = f"■ {' and '.join(parts)} marked"
    if total.folders:
        text += f": {counted(total.objects, 'object')}"
    return f"{text}, {size(total.bytes)}" + ("" if total.whole else " so far, still counting")


def key(row: Row) -> str:
    return f"\0{row.folder.path}" if isinstance(row, Note) else row.path


def name(row: Row) -> str:
    if isinstance(row, Note):
        return foreign(row.text)
    last = foreign(row.path.rstrip("/").rpartition("/")[2])
    return last + ("/" if isinstance(row, Folder) or row.path.endswith("/") else "")


def label(row: Row) -> str:
    fold = ("▾ " if row.open else "▸ ") if isinstance(row, Folder) else "  "
    return fold + name(row)


def style(row: Row) -> str:
    if isinstance(row, Note):
        return "bold $text-error" if row.wrong else "$text-muted"
    return "bold" if isinstance(row, Folder) else ""


def amount(row: Row) -> str:
    if not isinstance(row, Folder):
        return ""
    if row.uncounted is not None:
        return "not counted"
    if row.count is None:
        return "…"
    return f"{row.count.objects:,}" + ("" if row.fresh else " …")


def weight(row: Row) -> str:
    if isinstance(row, Note):
        return ""
    if isinstance(row, Folder):
        return size(row.count.bytes) if row.count is not None else "" if row.uncounted is not None else "…"
    return size(row.bytes)


def _when(row: Row) -> datetime | None:
    if isinstance(row, Folder):
        return row.count.updated if row.count is not None else None
    return None if isinstance(row, Note) else row.updated


def aged(row: Row) -> str:
    when = _when(row)
    return age(when).removesuffix(" ago") if when is not None else ""


def at(row: Row) -> str:
    when = _when(row)
    return moment(when) if when is not None else ""
