"""The app's styles, each piece of them parsed once.

Textual parses all pieces of CSS anew (two for each kind of widget so far) where a page is shown for the first time, and
where the theme changes: a tenth of a second each time, in which no key is taken.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from textual.css.stylesheet import Stylesheet

if TYPE_CHECKING:
    from textual.css.model import RuleSet
    from textual.css.types import CSSLocation

_THEMES = 8  # whose pieces are kept, parsed with their colours

Pieces = dict[tuple[Any, ...], "list[RuleSet]"]


@lru_cache(maxsize=_THEMES)
def kept_pieces(variables: frozenset[tuple[str, str]]) -> Pieces:
    """What was parsed with these variables so far. Nothing writes into rules that were parsed."""
    del variables
    return {}


class KeptStylesheet(Stylesheet):
    """A stylesheet that parses no piece of CSS twice with the same variables."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._pieces = kept_pieces(frozenset(self._variables.items()))

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self._variables:
            super().set_variables(variables)
            self._pieces = kept_pieces(frozenset(variables.items()))

    def reparse(self) -> None:
        self.parse()

    def _parse_rules(
        self,
        css: str,
        read_from: CSSLocation,
        is_default_rules: bool = False,
        tie_breaker: int = 0,
        scope: str = "",
    ) -> list[RuleSet]:
        known = (css, read_from, is_default_rules, tie_breaker, scope)
        if known not in self._pieces:
            self._pieces[known] = super()._parse_rules(css, read_from, is_default_rules, tie_breaker, scope)
        return self._pieces[known]
