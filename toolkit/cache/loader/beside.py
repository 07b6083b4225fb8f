"""Both sides' settings as rows, for people: what configome says beside what production says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from toolkit.cache.loader.settings import LoaderSettings
from toolkit.cache.loader.sides import Side, Sides, difference, same_address


@dataclass(frozen=True, slots=True)
class Row:
    """One setting, or one transformation: "" where a list does not have it. Of unknown sides nothing `differs`."""

    label: str
    configome: str
    production: str
    differs: bool = False


def rows(found: Sides) -> tuple[Row, ...]:
    """The API, the dry run (which may differ), the model, and the transformations in their order."""
    own, production = found.configome.settings, found.production.settings
    if own is None and production is None:
        return ()
    both = own is not None and production is not None

    def row(label: str, value: Callable[[LoaderSettings], object], same: Callable[[str, str], bool]) -> Row:
        texts = [_text(side, value) for side in (found.configome, found.production)]
        return Row(label, texts[0], texts[1], both and not same(*texts))

    return (
        row("phenoservice API", lambda one: one.api, same_address),
        row("dry run", lambda one: one.dry_run, lambda *_: True),
        row("model", lambda one: one.model, str.__eq__),
        *_lists(own, production),
    )


def _text(side: Side, value: Callable[[LoaderSettings], object]) -> str:
    if side.settings is None:
        return "unknown"
    found = value(side.settings)
    return "not said" if found is None else str(found)


def _lists(own: LoaderSettings | None, production: LoaderSettings | None) -> Iterator[Row]:
    """Transformations of one name stand in one row, as far as the order lets them."""
    label = "transformations"
    if own is not None and production is not None:
        for line in difference(own, production).lines:
            mark, name = line[:2], line[2:].lstrip("_")
            yield Row(label, "" if mark == "- " else name, "" if mark == "+ " else name, mark != "  ")
            label = ""
    else:
        for name in (own or production or LoaderSettings(None, None, None, ())).names:
            yield Row(label, name if own else "unknown", name if production else "unknown")
            label = ""
