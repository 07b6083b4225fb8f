"""Batches as the storage server sees them: multipart/mixed in, each part a request; multipart/mixed out."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from toolkit.sandbox.storage.objects import StorageError


@dataclass(frozen=True)
class Call:
    """One request out of a batch, or alone; `path` as it was sent, with its query; `id` is the part's Content-ID."""

    method: str
    path: str
    id: str = ""


@dataclass(frozen=True)
class SubAnswer:
    """The answer to one call of a batch; `json` None: no body."""

    status: int
    json: Any
    id: str


def calls(content_type: str, body: bytes) -> list[Call]:
    """The calls of a batch, in the order in which they were sent."""
    boundary = re.search(r'boundary="?([^";]+)"?', content_type)
    if boundary is None:
        raise StorageError(400, "badRequest", "Failed to parse batch request: no boundary.")
    found: list[Call] = []
    for part in body.decode().split("--" + boundary[1])[1:]:
        if part.startswith("--"):
            return found
        head, _, request = part.replace("\r\n", "\n").strip("\n").partition("\n\n")
        line = request.split("\n", 1)[0].split(" ")
        if len(line) != 3 or not line[2].startswith("HTTP/"):
            raise StorageError(400, "badRequest", "Failed to parse batch request: a part holds no request.")
        own = re.search(r"^content-id:\s*<?([^>\n]*)>?", head, re.IGNORECASE | re.MULTILINE)
        found.append(Call(line[0], re.sub(r"^https?://[^/]+", "", line[1]), own[1] if own else ""))
    raise StorageError(400, "badRequest", "Failed to parse batch request: it does not end.")


def joined(answers: Sequence[SubAnswer]) -> tuple[str, bytes]:
    """Content type and body of the batch's answer."""
    boundary = f"batch_{uuid.uuid4().hex}"
    parts = []
    for answer in answers:
        text = "" if answer.json is None else json.dumps(answer.json)
        head = "Content-Type: application/http\r\n"
        if answer.id:
            head += f"Content-ID: <response-{answer.id}>\r\n"
        kind = "Content-Type: application/json; charset=UTF-8\r\n" if text else ""
        parts.append(
            f"--{boundary}\r\n{head}\r\nHTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
            f"{kind}Content-Length: {len(text.encode())}\r\n\r\n{text}\r\n"
        )
    return f"multipart/mixed; boundary={boundary}", ("".join(parts) + f"--{boundary}--\r\n").encode()
