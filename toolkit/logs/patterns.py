"""What a log says, in few lines: templates with how often each came, when, and which of them are new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from toolkit.logs.entry import Entry, Severity
from toolkit.logs.masking import Masking
from toolkit.logs.templates import Drain, Template

_MOST_CHARACTERS: Final = 2_000  # of a message that are looked at
_MOST_WORDS: Final = 60
_MOST_REMEMBERED: Final = 10_000  # messages


@dataclass(frozen=True, slots=True)
class Pattern:
    """A template: words, `<*>` where they differ, `<number>` and the like where they were masked. `first` and `last`
    are nanoseconds since the epoch, 0 where no time was said; `severity` is the highest; `example` the first one."""

    template: str
    count: int
    first: int
    last: int
    new: bool
    severity: Severity
    example: Entry


class Patterns:
    """Takes entries as they come, and gives the patterns so far. `groups` are names to be masked.

    Of a message its first line counts, at most 60 words of it; of a traceback also the exception's type. Memory is
    bounded: after 2,000 templates, messages of other kinds are counted together as `<other lines>`.
    """

    def __init__(self, groups: Iterable[str] = ()) -> None:
        self._masking = Masking(groups)
        self._drain = Drain()
        self._known: dict[Template, _Tally] = {}
        self._remembered: dict[tuple[str, str], Template] = {}

    def add(self, entries: Iterable[Entry]) -> None:
        known, remembered = self._known, self._remembered
        for entry in entries:
            key = (entry.message[:_MOST_CHARACTERS], entry.exception)
            template = remembered.get(key)
            if template is None:
                if len(remembered) >= _MOST_REMEMBERED:
                    remembered.clear()
                kind = entry.exception.partition(":")[0]
                template = remembered[key] = self._drain.template(self._words(key[0], kind), kind)
            tally = known.get(template)
            if tally is None:
                known[template] = _Tally(entry)
            else:
                tally.add(entry)

    def ranked(self, new_since: int | None = None) -> list[Pattern]:
        """The new first (first seen at `new_since` or later), then the severer, then the more frequent."""
        found = [
            Pattern(
                str(template),
                tally.count,
                tally.first,
                tally.last,
                new_since is not None and tally.first >= new_since,
                tally.severity,
                tally.example,
            )
            for template, tally in self._known.items()
        ]
        return sorted(found, key=lambda one: (not one.new, -one.severity, -one.count, one.template))

    def _words(self, message: str, kind: str) -> list[str]:
        words = self._masking.words(message.lstrip().partition("\n")[0])
        if len(words) > _MOST_WORDS:
            words = [*words[:_MOST_WORDS], "…"]
        if kind and not message.startswith(kind):
            words.append(f"({kind})")
        return words


class _Tally:
    __slots__ = ("count", "example", "first", "last", "severity")

    def __init__(self, entry: Entry) -> None:
        self.count = 1
        self.first = self.last = entry.time
        self.severity = entry.severity
        self.example = entry

    def add(self, entry: Entry) -> None:
        self.count += 1
        time = entry.time
        if time:
            if time < self.first or not self.first:
                self.first = time
            if time > self.last:
                self.last = time
        if entry.severity > self.severity:
            self.severity = entry.severity
