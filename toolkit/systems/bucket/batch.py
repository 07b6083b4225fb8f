"""Google's batch format: many API calls in one multipart/mixed request, and the answer to each of them.

Written out here because the client's own `batch()` sends full URLs (Google wants paths), matches answers by order
alone, and loses all of them when one is missing. Here every call has a Content-ID, and a missing answer is seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

_STATUS = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})(?: .*)?")
_NUMBER = re.compile(r"\+(\d+)>?\s*$")
_BREAK = re.compile(r"\r?\n")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a batch: `path` begins with a slash, and holds its query."""

    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one call. `body` is JSON where something went wrong."""

    status: int
    body: str = ""

    @property
    def message(self) -> str:
        """What Google says went wrong, "" where it says nothing."""
        try:
            return str(json.loads(self.body)["error"]["message"])
        except (ValueError, KeyError, TypeError):
            return ""


class Malformed(ValueError):
    """What came back is no answer to a batch."""


def delete_call(bucket: str, name: str, generation: int) -> Call:
    """Delete an object if it still is in exactly this generation."""
    query = urlencode({"ifGenerationMatch": generation})
    return Call("DELETE", f"/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}?{query}")


def encoded(calls: Sequence[Call], boundary: str) -> bytes:
    """The request's body; its Content-Type is `multipart/mixed; boundary=…`."""
    parts = [
        f"--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <{boundary}+{number}>\r\n\r\n"
        f"{call.method} {call.path} HTTP/1.1\r\n\r\n\r\n"
        for number, call in enumerate(calls)
    ]
    return ("".join(parts) + f"--{boundary}--\r\n").encode("ascii")


def decoded(content_type: str, body: bytes, count: int) -> list[Answer | None]:
    """The answers in the order of the `count` calls; None where the answer to a call is missing.

    Answers are matched by Content-ID; where none has one, by order, if they are complete. Raises Malformed.
    """
    boundary = _boundary(content_type)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8 at byte {error.start}") from error
    parts, ended = _parts(text, boundary)
    numbered = [_part(part) for part in parts]
    if not any(number is not None for number, _ in numbered):
        if len(numbered) != count or not ended:
            raise Malformed(f"{len(numbered)} answers without Content-ID to {count} calls")
        return [answer for _, answer in numbered]
    answers: list[Answer | None] = [None] * count
    for number, answer in numbered:
        if number is None or number >= count or answers[number] is not None:
            raise Malformed("an answer's Content-ID belongs to no call, or was there before")
        answers[number] = answer
    return answers


def _boundary(content_type: str) -> str:
    kind, _, parameters = content_type.partition(";")
    found = re.search(r'(?:^|;)\s*boundary=(?:"([^"]+)"|([^\s;"]+))', parameters, re.IGNORECASE)
    if kind.strip().lower() != "multipart/mixed" or not found:
        raise Malformed(f"its Content-Type is {content_type[:80]!r}, not multipart/mixed with a boundary")
    return found[1] or found[2]


def _parts(text: str, boundary: str) -> tuple[list[str], bool]:
    """What stands between the boundary's lines, and whether the last line that ends it all was there.

    A part that the boundary does not close was cut off on its way, and does not count.
    """
    pieces = re.split(rf"(?:^|\r?\n)--{re.escape(boundary)}(--)?[ \t]*(?=\r?\n|$)", text)
    parts = []
    for place in range(2, len(pieces) - 1, 2):  # text, mark, text, mark, … text
        if pieces[place - 1]:
            break
        parts.append(pieces[place])
    return parts, "--" in pieces[1::2]


def _part(part: str) -> tuple[int | None, Answer]:
    """The call's number (None: it says none) and the answer."""
    lines = _BREAK.split(part)
    number: int | None = None
    for place, line in enumerate(lines):
        found = _STATUS.fullmatch(line.rstrip())
        if found:
            rest = lines[place + 1 :]
            empty = rest.index("") if "" in rest else len(rest)
            return number, Answer(int(found[1]), "\n".join(rest[empty + 1 :]).strip())
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-id":
            numbered = _NUMBER.search(value)
            if numbered is None:
                raise Malformed(f"a Content-ID is {value.strip()[:80]!r}")
            number = int(numbered[1])
    raise Malformed("a part holds no HTTP status line")
