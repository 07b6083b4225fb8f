"""The question what was changed with this toolkit, from this account, in the last days: the journal's own lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from toolkit import paths
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Question
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections

_DAYS: Final = 3
_SHOWN: Final = 10


def recent_changes(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """What was changed in this environment in the last three days, as this account's journal knows it?

    Facts: `changes` (time, who, action, result), the newest first.
    """
    since = datetime.now(UTC) - timedelta(days=_DAYS)
    opened: dict[str, dict[str, str]] = {}
    for item in _lines():
        operation = str(item.get("operation"))
        if item.get("kind") == "opened" and item.get("environment") == connections.environment.name:
            opened[operation] = {key: shown(str(item.get(key, ""))) for key in ("time", "who", "action")} | {
                "result": ""
            }
        elif operation in opened:
            content = item.get("content")
            opened[operation]["result"] = shown(str(content.get("result", ""))) if isinstance(content, dict) else ""
    changes = [one for one in reversed(opened.values()) if _later(one["time"], since)]
    facts = {"changes": changes}
    if not changes:
        summary = f"nothing was changed from this account in the last {_DAYS} days"
        return Finding("", Status.OK, summary, by_hand=("toolkit journal list",), facts=facts)
    lines = [f"{one['time']}  {one['who']}  {one['action']}  {one['result'] or 'not ended'}" for one in changes]
    if len(lines) > _SHOWN:
        lines = [*lines[:_SHOWN], f"{_SHOWN} of {len(lines)} shown"]
    last = changes[0]
    summary = f"{len(changes)} in the last {_DAYS} days; the last: {last['action']} by {last['who']}, {last['time']}"
    return Finding("", Status.WARN, summary, evidence=tuple(lines), by_hand=("toolkit journal list",), facts=facts)


def _lines() -> Iterator[Mapping[str, Any]]:
    try:
        text = (paths.state() / "journal.jsonl").read_text("utf-8", "replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            item = json.loads(line)
        except ValueError:  # `toolkit journal verify` names a damaged line
            continue
        if isinstance(item, dict):
            yield item


def _later(time: str, since: datetime) -> bool:
    try:
        return datetime.fromisoformat(time) >= since
    except (ValueError, TypeError):
        return False


QUESTIONS = (Question("recent-changes", "What was changed here lately, from this account?", recent_changes),)
