"""What differs from one line to the next though they say the same: numbers, ids, paths, times, names. Masked word by
word, before templates are mined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_MOST_REMEMBERED: Final = 20_000  # words
_LONGEST: Final = 200  # characters of a word that are looked at; a longer one is masked whole

_NUMBER: Final = r"[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?"
# In the order in which they are tried, each on a whole word without the punctuation around it.
_KINDS: Final = (
    ("time", r"\d{4}[-/]\d\d[-/]\d\d(?:[T_]\S+)?|\d\d:\d\d:\d\d(?:[.,]\d+)?Z?"),
    ("id", r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
    ("hex", r"0[xX][0-9a-fA-F]+|(?=[0-9a-fA-F]*[0-9])(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{7,}"),
    ("ip", r"\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\d+)?"),
    ("duration", rf"{_NUMBER}(?:ns|us|µs|ms|s|sec|secs|min|h)|(?:\d+[dhm])+(?:\d+(?:\.\d+)?s)?"),
    ("size", rf"{_NUMBER}(?:B|[kKMGT]i?B)"),
    ("number", rf"{_NUMBER}%?"),
    ("url", r"[a-z][a-z0-9+]{1,9}://\S+"),
    ("path", r"~?(?:/[^/\s]+){2,}/?|[A-Za-z]:\\\S+"),
)
_WORD: Final = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS))
_AROUND: Final = re.compile(r"([(\[{<\"'`]*)(.*?)([)\]}>\"'`,;:.!?]*)$", re.DOTALL)
_PARTS: Final = re.compile(r"[:/=,@|]")
_DIGITS: Final = re.compile(r"\d+")


class Masking:
    """Masks words: `12.3s,` becomes `<duration>,`. `names` are groups, masked where they stand as a part of a word."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
        self._remembered: dict[str, str] = {}

    def words(self, text: str) -> list[str]:
        """The masked words of a text."""
        remembered = self._remembered
        found = []
        for word in text.split():
            if word.isalpha() and word not in self._names:
                found.append(word)
                continue
            masked = remembered.get(word)
            if masked is None:
                if len(remembered) >= _MOST_REMEMBERED:
                    remembered.clear()
                masked = remembered[word] = self._masked(word)
            found.append(masked)
        return found

    def _masked(self, word: str) -> str:
        if len(word) > _LONGEST:
            return "<long>"
        around = _AROUND.match(word)
        if around is None:
            return word
        before, core, behind = around.groups()
        return f"{before}{self._core(core)}{behind}"

    def _core(self, core: str) -> str:
        if core in self._names:
            return "<group>"
        found = _WORD.fullmatch(core)
        if found is not None:
            return f"<{found.lastgroup}>"
        if _PARTS.search(core) is not None:  # g0:vectors, name=value, a/b
            pieces = re.split(r"([:/=,@|])", core)
            return "".join(piece if at % 2 else self._piece(piece) for at, piece in enumerate(pieces))
        return _DIGITS.sub("<n>", core)

    def _piece(self, piece: str) -> str:
        if piece in self._names:
            return "<group>"
        found = _WORD.fullmatch(piece) if piece else None
        return f"<{found.lastgroup}>" if found is not None else _DIGITS.sub("<n>", piece)
