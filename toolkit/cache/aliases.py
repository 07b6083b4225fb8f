"""Other names of genes: a table that the environment may name (cache.aliases_file), as TOML, CSV or TSV.

TOML: `BRCA1 = ["RNF53", "FANCS"]`. CSV and TSV: one gene a row, its symbol first, other names behind it, in cells of
their own or divided by "|"; with a heading `symbol` only the columns symbol, alias_symbol, prev_symbol and aliases
count, which is how HGNC's downloads look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from toolkit.errors import ConfigurationError

_COLUMNS = ("symbol", "alias_symbol", "prev_symbol", "aliases", "alias")


class Aliases:
    """Names that mean the same gene. Case does not count; a name may belong to several genes."""

    def __init__(self, genes: Iterable[Iterable[str]] = ()) -> None:
        self._same: dict[str, dict[str, None]] = {}
        for gene in genes:
            names = list(dict.fromkeys(name.strip() for name in gene if name.strip()))
            for name in names:
                self._same.setdefault(name.casefold(), {}).update(dict.fromkeys(names))

    def others(self, name: str) -> tuple[str, ...]:
        """The other names of what `name` means."""
        folded = name.strip().casefold()
        return tuple(other for other in self._same.get(folded, ()) if other.casefold() != folded)

    def only(self, names: Iterable[str]) -> Aliases:
        """What is known of these names alone."""
        few = Aliases()
        for name in names:
            folded = name.strip().casefold()
            if folded in self._same:
                few._same[folded] = self._same[folded]
        return few

    def __len__(self) -> int:
        return len(self._same)


NO_ALIASES = Aliases()


def load(file: str) -> Aliases:
    """The table in `file`; none where that is empty. Raises ConfigurationError where it cannot be read."""
    if not file:
        return NO_ALIASES
    import csv
    import tomllib

    path = Path(file).expanduser()
    try:
        text = path.read_text("utf-8-sig")
        if path.suffix == ".toml":
            return Aliases(_from_toml(tomllib.loads(text)))
        rows = csv.reader(text.splitlines(), delimiter="," if path.suffix == ".csv" else "\t", strict=True)
        return Aliases(_from_rows(rows))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, csv.Error, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(
            f"The table of gene aliases {path} (cache.aliases_file) cannot be read: {reason}.",
            hint='It is TOML (BRCA1 = ["RNF53"]), CSV or TSV (symbol first, other names behind it).',
        ) from error


def _from_toml(table: Mapping[str, object]) -> Iterator[list[str]]:
    for symbol, others in table.items():
        names = [others] if isinstance(others, str) else others
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise TypeError(f"{symbol} needs a list of names")
        yield [symbol, *names]


def _from_rows(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    columns: list[int] | None = None
    for number, row in enumerate(rows):
        heading = [cell.strip().casefold() for cell in row]
        if number == 0 and "symbol" in heading:
            columns = [heading.index(name) for name in _COLUMNS if name in heading]
            continue
        cells = row if columns is None else [row[at] for at in columns if at < len(row)]
        yield [name for cell in cells for name in cell.split("|")]
