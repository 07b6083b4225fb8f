"""All that is known of a folder or an object of the bucket, as a page of text, with the commands by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from toolkit.figures import age, size
from toolkit.secret import scrub
from toolkit.tui.bucket_tree import Folder
from toolkit.tui.widgets.prose import labelled
from toolkit.tui.wording import counted, foreign, moment

if TYPE_CHECKING:
    from datetime import datetime

    from toolkit.environments.model import Environment
    from toolkit.systems.bucket import ObjectDetails

_ROOM = 15


def object_page(details: ObjectDetails, environment: Environment, width: int) -> Content:
    """One generation of an object."""
    from toolkit.systems.bucket.names import argument

    item = details.object
    url = f"gs://{environment.bucket.name}/{item.path}"
    at = f"{url}#{item.generation}"
    deleted = item.soft_deleted_at is not None
    facts = [
        ("generation", str(item.generation)),
        ("size", f"{size(item.bytes)} ({item.bytes:,} bytes)"),
        ("content type", details.content_type or "not given"),
        ("crc32c", item.crc32c or "not given"),
        ("md5", details.md5 or "not given (an object that was put together from parts has none)"),
        ("created", _when(details.created)),
        ("updated", _when(item.updated)),
    ]
    if deleted:
        facts += [("deleted", _when(item.soft_deleted_at)), ("kept until", _when(item.kept_until))]
    facts += details.facts
    name = environment.name
    if deleted:
        commands = [
            f"gcloud storage objects describe {argument(at)} --soft-deleted",
            f"gcloud storage restore {argument(at)}",
            f"toolkit bucket restore {argument(at)} --env {name}",
        ]
    else:
        commands = [
            f"gcloud storage objects describe {argument(url)}",
            f"gcloud storage cp {argument(url)} .",
            f"gcloud storage rm {argument(at)}",
            f"toolkit bucket get {argument(url)} --env {name}",
        ]
    return _page(url, facts, commands, width)


def folder_page(folder: Folder, url: str, environment: Environment, width: int) -> Content:
    """A folder, as far as it was counted."""
    from toolkit.systems.bucket.names import argument

    found = folder.count
    facts = []
    if found is not None:
        still = "" if folder.fresh else " so far, still counting"
        facts.append(("holds", f"{counted(found.objects, 'object')}, {size(found.bytes)}{still}"))
        facts.append(("newest", _when(found.updated)))
    if folder.uncounted is not None:
        facts.append(("not counted", folder.uncounted.message))
    if folder.standing is not None:
        facts.append(("group", f"{folder.standing.group}. {folder.standing.why}".lstrip(". ")))
    commands = [
        f"gcloud storage ls --long {argument(url)}",
        f"gcloud storage du --summarize {argument(url)}",
        f"gcloud storage cp --recursive {argument(url.rstrip('/'))} .",
        f"gcloud storage rm {argument(url + '**')}",
        f"toolkit bucket du {argument(url)} --env {environment.name}",
    ]
    return _page(url, facts, commands, width)


def _page(url: str, facts: list[tuple[str, str]], commands: list[str], width: int) -> Content:
    lines = [Content.styled(foreign(url), "bold"), Content("")]
    lines += [labelled(foreign(label), foreign(text), width, room=_ROOM) for label, text in facts]
    lines.append(Content(""))
    for number, command in enumerate(commands):
        lines.append(labelled("by hand" if number == 0 else "", scrub(command), width, "$text-accent", room=_ROOM))
    return Content("\n").join(lines)


def _when(value: datetime | None) -> str:
    return "-" if value is None else f"{moment(value)} ({age(value)})"
