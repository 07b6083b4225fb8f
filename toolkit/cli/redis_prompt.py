"""A small prompt for Redis that only lets reads through: for read-only work, and where there is no redis-cli."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from toolkit.cli import diagnostics, output
from toolkit.errors import ExitCode, Refused, ToolkitError
from toolkit.systems.redis_proxy.commands import only_reads

if TYPE_CHECKING:
    from toolkit.systems.redis_proxy import RedisProxy

_LONGEST = 4096  # bytes of one value that are shown


def ask(redis: RedisProxy, words: Sequence[str]) -> None:
    """Carry out one reading command and print its reply. Raises Refused for any other."""
    if not only_reads(words):
        name = words[0].upper() if words else ""
        hint = "SCAN lists keys without holding up the server." if name == "KEYS" else ""
        raise Refused(
            f"{name} is not a command that only reads, so it is not let through here.",
            hint=hint or "Changes have commands of their own: `toolkit groups delete | flush | restore`.",
        )
    for line in drawn(redis.command(words)):
        output.text(line)


def run(redis: RedisProxy, name: str) -> ExitCode:
    """Read commands line by line until the end, `quit` or Ctrl-D. Errors are said, and the prompt goes on."""
    at_terminal = sys.stdin.isatty()
    if at_terminal:
        diagnostics.narrate("Only reading commands go through here; `quit` or Ctrl-D ends it.", "dim")
        _with_history()
    worst = ExitCode.OK
    while True:
        try:
            line = input(f"{name} (reads only)> ") if at_terminal else sys.stdin.readline()
        except EOFError:
            diagnostics.narrate("")
            return worst
        except KeyboardInterrupt:
            diagnostics.narrate("")
            continue
        if not line and not at_terminal:
            return worst
        try:
            words = shlex.split(line)
        except ValueError as error:
            diagnostics.narrate(f"error: {error}", "red")
            worst = max(worst, ExitCode.USAGE)
            continue
        if not words:
            continue
        if words[0].lower() in ("quit", "exit"):
            return worst
        try:
            ask(redis, words)
        except ToolkitError as error:
            diagnostics.error(error)
            worst = max(worst, error.exit_code)
        if at_terminal:
            worst = ExitCode.OK  # a person has seen it


def drawn(reply: object, indent: str = "") -> Iterator[str]:
    """A reply as redis-cli draws it, one line after the other; long values are cut, and say so."""
    if isinstance(reply, list | tuple):
        if not reply:
            yield "(empty)"
        width = len(str(len(reply)))
        for number, item in enumerate(reply, 1):
            label = f"{number:>{width}}) "
            lines = drawn(item, indent + " " * len(label))
            yield f"{indent if number > 1 else ''}{label}{next(lines)}"
            yield from lines
    elif reply is None:
        yield "(nil)"
    elif isinstance(reply, int):
        yield f"(integer) {reply}"
    elif isinstance(reply, Exception):
        yield f"(error) {reply}"
    elif isinstance(reply, bytes):
        yield from _value(reply)
    else:
        yield str(reply)


def _value(raw: bytes) -> Iterator[str]:
    """Text of several lines (INFO) as it is; anything else in quotes, with what cannot be shown written out."""
    text = raw[:_LONGEST].decode("utf-8", "backslashreplace")
    lines = text.splitlines()
    if len(lines) > 1 and len(raw) <= _LONGEST * 8 and all(line.isprintable() for line in lines):
        yield from raw.decode("utf-8", "backslashreplace").splitlines()
        return
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    shown = shown.replace('"', '\\"')
    more = f" … ({len(raw):,} bytes in all)" if len(raw) > _LONGEST else ""
    yield f'"{shown}"{more}'


def _with_history() -> None:
    """Line editing, where Python was built with it."""
    try:
        import readline
    except ImportError:
        return
    readline.set_history_length(1000)
