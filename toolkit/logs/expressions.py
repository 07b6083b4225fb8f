"""Regular expressions that people type: RE2 matches them, in linear time whatever the line; a mistake is shown with its
place.
"""

from __future__ import annotations

import re
import warnings
from typing import Any, Final

from toolkit.errors import UsageError

_SPECIAL: Final = frozenset("\\.^$*+?{}[]|()")
_UNKNOWN: Final = ("(?=", "(?!", "(?<=", "(?<!", "(?P=", "(?>", "(?(")
_HINT: Final = "Quote what is meant literally with a backslash; the syntax is RE2's: github.com/google/re2/wiki/Syntax."


class Expression:
    """`text` searched for anywhere in a line; ^ and $ stand at the ends of each line of a folded entry.

    Raises UsageError where it is none; `option` is what the user typed it behind.
    """

    def __init__(self, text: str, *, ignore_case: bool = False, option: str = "--grep") -> None:
        self.text = text
        self._ignore_case = ignore_case
        self._literal = "" if ignore_case or _SPECIAL.intersection(text) else text
        self._search: Any = None if self._literal else _compiled(text, ignore_case, option)

    def found(self, text: str) -> bool:
        """Whether it is in `text`, which may hold surrogate escapes."""
        if self._search is None:
            return self._literal in text
        return self._search(encoded(text)) is not None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is in `text`, in characters; what is empty is left out."""
        raw = encoded(text)
        found = [one.span() for one in self.anywhere().finditer(raw)]
        if len(raw) != len(text):
            places = {at: len(raw[:at].decode("utf-8", "surrogateescape")) for pair in found for at in pair}
            found = [(places[start], places[end]) for start, end in found]
        return [(start, end) for start, end in found if end > start]

    def anywhere(self) -> Any:
        """The same over bytes, with `finditer`, exactly as it was typed."""
        return _pattern(_escaped(self._literal) if self._literal else self.text, self._ignore_case, "")

    def needle(self) -> Any:
        """The same over raw bytes, with `finditer`: to look through a file before its lines are read. None where a
        line may say it in other characters than it is typed (JSON writes quotes and other letters otherwise)."""
        if not self.text.isascii() or '"' in self.text or (self._literal == "" and "\\n" in self.text):
            return None
        return _pattern(_escaped(self._literal) if self._literal else self.text, self._ignore_case, "")


def encoded(text: str) -> bytes:
    """`text` as the bytes that it was read from."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half of a pair, as JSON can say it
            return text.encode("utf-8", "surrogatepass")


def words(names: tuple[str, ...]) -> Expression:
    """Any of the names as a whole word, whatever its case: BRCA1 is neither in BRCA12 nor in BRCA1_x."""
    import re2

    any_of = "|".join(re2.escape(name.strip().encode("utf-8", "replace").decode()) for name in names)
    return Expression(rf"(?:^|[^\pL\pN_])(?:{any_of})(?:[^\pL\pN_]|$)", ignore_case=True, option="the name")


def _escaped(text: str) -> str:
    import re2

    return str(re2.escape(text))


def _compiled(text: str, ignore_case: bool, option: str) -> Any:
    return _pattern(text, ignore_case, option).search


def _pattern(text: str, ignore_case: bool, option: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(b"(?m)" + encoded(text), options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        raise _mistake(
            text, said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said), option
        ) from None


def _mistake(text: str, said: str, option: str) -> UsageError:
    """RE2 names the fragment that it does not like, Python's own compiler the place: both are asked."""
    what, _, fragment = said.partition(": ")
    place = next((at for word in _UNKNOWN if (at := text.find(word)) >= 0), None)
    if place is not None:
        what = "look-around, back-references and conditions are unknown to RE2, which matches in linear time"
        hint = "Say it without: several --grep have all to match, --exclude takes lines out."
        return UsageError(_pointing(text, what, place, option), hint=hint)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text)
    except re.error as error:
        what, place = error.msg, error.pos
    except (OverflowError, RecursionError):
        pass
    if place is None and fragment:
        place = text.find(fragment.removeprefix("(?m)"))
    return UsageError(_pointing(text, what, place, option), hint=_HINT)


def _pointing(text: str, what: str, place: int | None, option: str) -> str:
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    message = f"{option} {shown!r} is no regular expression: {what}"
    if place is None or place < 0:
        return message + "."
    pointed = f"{message}, at position {place + 1}"
    return f"{pointed}:\n  {shown}\n  {' ' * place}^" if len(shown) <= 70 else pointed + "."
