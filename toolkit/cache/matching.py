"""From what somebody typed to the perturbations that it means, and to those that it may have been meant to be.

A question is a name, or a name at a concentration: `REC-0000123 at 3`, `REC-0000123@300nM`, `REC-0000123 3 µM`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from toolkit.cache.aliases import NO_ALIASES, Aliases

How = Literal["exact", "case", "space", "alias", "prefix"]

_UNITS = {"pm": 1e-6, "nm": 1e-3, "um": 1.0, "µm": 1.0, "μm": 1.0, "mm": 1e3, "m": 1e6, "": 1.0}
_NUMBER = r"(?P<number>\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?)"
_AT = re.compile(rf"^(?P<name>.+?)\s*(?:@|\bat\b)\s*{_NUMBER}\s*(?P<unit>[pnuµμm]?M)?$", re.IGNORECASE)
_BEHIND = re.compile(rf"^(?P<name>.+?)\s+{_NUMBER}\s*(?P<unit>[pnuµμm]M)$", re.IGNORECASE)
_COMPOUND = re.compile(r"^(?P<prefix>[^\W\d_]{1,8})[-_ ]?(?P<number>\d{4,15})$")
_LIKE_COMPOUND = re.compile(r"^(?P<prefix>[^\W\d_]{0,8})[-_ ]?(?P<number>\d{1,15})$")

# What is left out where spaces do not count: spaces, hyphens and dashes of all kinds, underscores, the invisible.
_FILLING = dict.fromkeys(
    [*map(ord, " \t\r\n-_.\u2010\u2011\u2012\u2013\u2014\u2212\u00ad\u200b\u200c\u200d\ufeff\u00a0")]
)

_ENOUGH = 60.0  # a score below which a name is not near any more
_SAME = 0.005  # concentrations that differ by less are the same


@dataclass(frozen=True, slots=True)
class Question:
    """What was typed: `name`, and the concentration in µM where one was given."""

    text: str
    name: str
    concentration: float | None = None

    def fits(self, concentrations: Sequence[float]) -> bool:
        """Whether the concentration asked for, if any, is among them."""
        wanted = self.concentration
        return wanted is None or any(math.isclose(wanted, known, rel_tol=_SAME) for known in concentrations)


@dataclass(frozen=True, slots=True)
class Match:
    """A name that is what was asked for; `how` says how closely."""

    pert: str
    how: How


@dataclass(frozen=True, slots=True)
class Near:
    """A name that may have been meant; `score` to 100, `why` for people. `concentration` is the nearest one there is,
    where the name is right and the concentration is not."""

    pert: str
    score: float
    why: str
    concentration: float | None = None


def question(text: str, known: Container[str] = ()) -> Question:
    """What `text` asks for. A `known` name is itself, whatever it looks like."""
    bare, *others = readings(text)
    return others[0] if others and bare.name not in known else bare


def readings(text: str) -> tuple[Question, ...]:
    """What `text` may ask for: the perturbation of that name, and where it looks like it, one at a concentration."""
    bare = unicodedata.normalize("NFC", text).strip()
    for pattern in (_AT, _BEHIND):
        read = pattern.match(bare)
        if read is not None:
            unit = _UNITS[(read["unit"] or "").casefold()]
            amount = float(read["number"].replace(",", ".")) * unit
            if math.isfinite(amount):
                return Question(text, bare), Question(text, read["name"].strip(), float(f"{amount:.6g}"))
    return (Question(text, bare),)


def micromolar(concentration: float) -> str:
    """A concentration for people: 0.3 µM."""
    return f"{concentration:g} µM"


def wrong_concentration(pert: str, wanted: float, known: Sequence[float]) -> Near:
    """The near miss of a perturbation that is there at other concentrations (or at none: a gene)."""
    if not known:
        return Near(pert, 90.0, "it is there, and has no concentrations")
    nearest = min(known, key=lambda one: abs(math.log(one / wanted)) if one > 0 and wanted > 0 else math.inf)
    away = abs(math.log10(nearest / wanted)) if nearest > 0 and wanted > 0 else 1.0
    there = ", ".join(f"{one:g}" for one in known)
    why = f"it is there, but not at {micromolar(wanted)}: at {there} µM"
    return Near(pert, round(99 - 39 * min(1.0, away), 1), why, nearest)


class Matcher:
    """The names that are known, ready for many questions. Each kind of comparison is prepared when first needed.

    What it answers depends on which names there are, not on their order.
    """

    def __init__(self, names: Iterable[str], aliases: Aliases = NO_ALIASES) -> None:
        self.names = dict.fromkeys(names)
        self._aliases = aliases

    def matches(self, name: str) -> tuple[Match, ...]:
        """The known names that `name` means, the closest first, each once."""
        found: dict[str, How] = {}
        if name in self.names:
            found[name] = "exact"
        for how, other in self._alike(name):
            found.setdefault(other, how)
        for alias in self._aliases.others(name):
            if alias in self.names:
                found.setdefault(alias, "alias")
            for _, other in self._alike(alias):
                found.setdefault(other, "alias")
        if not found:
            found = dict.fromkeys(self._by_number(name), "prefix")
        return tuple(Match(pert, how) for pert, how in found.items())

    def near(self, name: str, limit: int = 5) -> tuple[Near, ...]:
        """The known names most like `name` that it does not mean."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        meant = {match.pert for match in self.matches(name)}
        compound = _LIKE_COMPOUND.match(name.strip()) if _by_digits(name) else None
        if compound is not None:  # of REC-0000123 only 123 tells it from the others
            wanted, numbers = compound["number"].lstrip("0"), self._numbers
            found = process.extract(
                wanted, numbers, scorer=OSA.normalized_similarity, score_cutoff=_ENOUGH / 100, limit=limit + len(meant)
            )
            near = [_near(self._compounds[at], wanted, known, score) for known, score, at in found]
        else:
            wanted, names = _squeezed(name), self._list
            found = process.extract(
                wanted,
                self._squeezed_list,
                scorer=OSA.normalized_similarity,
                score_cutoff=_ENOUGH / 100,
                limit=limit + len(meant),
            )
            near = [_near(names[at], wanted, known, score) for known, score, at in found]
        return tuple(one for one in near if one.pert not in meant)[:limit]

    def _alike(self, name: str) -> list[tuple[How, str]]:
        """Those that differ in case, spaces or hyphens only."""
        folded, squeezed = _folded(name), _squeezed(name)
        same = self._searched(re.compile(f"\0{re.escape(squeezed)}(?=\0)")) if squeezed else ()
        alike: list[tuple[How, str]] = [("case" if _folded(other) == folded else "space", other) for other in same]
        return sorted(alike)

    def _by_number(self, name: str) -> list[str]:
        """Compounds whose number was given without its prefix, or without its zeros."""
        read = _LIKE_COMPOUND.match(name.strip())
        if read is None:
            return []
        prefix = re.escape(_squeezed(read["prefix"])) or r"[^\W\d_]{1,8}"
        number = re.escape(read["number"].lstrip("0") or "0")
        found = self._searched(re.compile(f"\0{prefix}0*{number}(?=\0)"))
        return [pert for pert in found if _COMPOUND.match(pert)]

    def _searched(self, pattern: re.Pattern[str]) -> list[str]:
        """The names whose squeezed form fits a pattern that begins with \\0: one search through all of them at once."""
        text = self._text
        return [self._list[text.count("\0", 0, found.start())] for found in pattern.finditer(text)]

    @cached_property
    def _list(self) -> list[str]:
        return sorted(self.names)

    @cached_property
    def _text(self) -> str:
        """All names, squeezed, each between two \\0."""
        text = "\0".join(("", *self._list, ""))
        if text.count("\0") != len(self._list) + 1:
            text = "\0".join(("", *(name.replace("\0", " ") for name in self._list), ""))
        return _squeezed(text)

    @cached_property
    def _squeezed_list(self) -> list[str]:
        return self._text.split("\0")[1:-1]

    @cached_property
    def _compounds(self) -> list[str]:
        return [name for name in self._list if _COMPOUND.match(name)]

    @cached_property
    def _numbers(self) -> list[str]:
        return [re.sub(r"^\D*0*", "", name) for name in self._compounds]


def _by_digits(name: str) -> bool:
    return bool(_COMPOUND.match(name.strip())) or name.strip().isdecimal()


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _squeezed(text: str) -> str:
    return _folded(text).translate(_FILLING)


def _near(pert: str, wanted: str, known: str, score: float) -> Near:
    from rapidfuzz.distance import OSA, Levenshtein

    edits = OSA.distance(wanted, known)
    if edits == 1 and Levenshtein.distance(wanted, known) == 2:
        why = "two letters changed places"
    elif known.startswith(wanted):
        why = f"goes on with {known[len(wanted) :].upper()!r}"
    elif wanted.startswith(known):
        why = f"ends before {wanted[len(known) :].upper()!r}"
    else:
        why = "one letter differs" if edits == 1 else f"{edits} letters differ"
    return Near(pert, round(100 * score, 1), why)
