"""Requests as web servers log them: `10.0.0.1 - - [24/Nov/2026:10:59:12 +0000] "GET /map HTTP/1.1" 200 512`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from toolkit.logs.entry import Severity
from toolkit.logs.formats.reading import Reading

_REQUEST: Final = re.compile(r'"([A-Z]{3,10}) (\S{1,2048}) HTTP/[\d.]{1,4}" (\d{3})\b')
_CLIENT: Final = re.compile(r"([0-9A-Fa-f.:]{3,60}|[\w.-]{1,100}) - (\S{1,100}) \[([^\]]{20,32})\] ")


def fields_of(message: str) -> dict[str, Any]:
    """method, path and status of a request that the first 4 KiB of a message tell of."""
    found = _REQUEST.search(message, 0, 4096)
    return {} if found is None else {"method": found[1], "path": found[2], "status": int(found[3])}


def read(text: str) -> Reading | None:
    """A request, with the line's client, or without. These lines say no level: an answer of 500 and up is an error."""
    request = fields_of(text)
    if not request:
        return None
    severity = Severity.ERROR if request["status"] >= 500 else Severity.INFO
    client = _CLIENT.match(text)
    if client is None:
        return Reading(severity, text, request)
    try:
        time = int(datetime.strptime(client[3], "%d/%b/%Y:%H:%M:%S %z").timestamp()) * 1_000_000_000
    except (ValueError, OverflowError):
        time = 0
    return Reading(severity, text[client.end() :], {"client": client[1], **request}, time)
