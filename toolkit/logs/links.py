"""Links that show the same query and time range in a browser: Grafana's Explore, and Google's Logs Explorer.

Explore's address is that of Grafana 10 and later (`schemaVersion=1`, one pane as JSON). The Logs Explorer keeps its
parameters in the path, behind semicolons.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from toolkit.errors import ConfigurationError
from toolkit.logs.source import Window
from toolkit.systems.cloud_logging import rfc3339

if TYPE_CHECKING:
    from toolkit.environments import model

_PANE = "logs"


def grafana(part: model.Loki, query: str, window: Window) -> str:
    """Explore with `query` over `window`; an open end is now, an open beginning an hour before.

    Raises ConfigurationError where no Grafana is configured.
    """
    if not part.grafana:
        raise ConfigurationError(
            "There is no link: logs.loki.grafana is empty.",
            hint="Set it to the Grafana that shows this Loki, and logs.loki.datasource to Loki's UID there.",
        )
    source: dict[str, Any] = {"type": "loki"}
    if part.datasource:
        source["uid"] = part.datasource
    asked = {"refId": "A", "datasource": source, "expr": query, "queryType": "range", "direction": "forward"}
    pane = {
        "datasource": part.datasource,
        "queries": [asked],
        "range": {"from": _milliseconds(window.since, "now-1h"), "to": _milliseconds(window.until, "now", up=True)},
    }
    panes = json.dumps({_PANE: pane}, ensure_ascii=False, separators=(",", ":"))
    return f"{part.grafana.rstrip('/')}/explore?" + urlencode({"schemaVersion": 1, "panes": panes}, quote_via=quote)


def logs_explorer(project: str, filter_: str, window: Window) -> str:
    """The Logs Explorer with `filter_` over `window`; with both ends open, its own choice of time."""
    parts = ["https://console.cloud.google.com/logs/query"]
    if filter_:
        parts.append(f"query={quote(filter_, safe='')}")
    if window.since is not None or window.until is not None:
        since, until = ("" if at is None else rfc3339(at) for at in (window.since, window.until))
        parts.append(f"timeRange={quote(f'{since}/{until}', safe=':')}")
    return ";".join(parts) + f"?project={quote(project, safe='')}"


def _milliseconds(at: int | None, otherwise: str, *, up: bool = False) -> str:
    """As Explore takes it, in milliseconds; an end is rounded up, so that nothing of it is left out."""
    if at is None:
        return otherwise
    return str(-(-at // 10**6) if up else at // 10**6)
