"""What was typed, and which perturbations it means or nearly means."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.cache.search import aliases, matching
from toolkit.cache.search.aliases import Aliases
from toolkit.cache.search.matching import Matcher
from toolkit.errors import ConfigurationError

NAMES = ("BRCA1", "BRCA2", "BRAF", "TP53", "ERBB2", "HLA-A", "C9orf72", "REC-0000123", "REC-0000124", "REC-0004532")
KNOWN = Matcher(NAMES, Aliases([["ERBB2", "HER2", "NEU"], ["TP53", "p53", "LFS1"]]))


def meant(name: str, known: Matcher = KNOWN) -> list[tuple[str, str]]:
    return [(match.pert, match.how) for match in known.matches(name)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("BRCA1", [("BRCA1", "exact")]),
        ("brca1", [("BRCA1", "case")]),
        ("c9ORF72", [("C9orf72", "case")]),
        (" BRCA 1 ", [("BRCA1", "space")]),
        ("BRCA-1", [("BRCA1", "space")]),
        ("hla\u2011a", [("HLA-A", "space")]),
        ("BRCA1\u200b", [("BRCA1", "space")]),
        ("ＢＲＣＡ１", [("BRCA1", "case")]),
        ("HER2", [("ERBB2", "alias")]),
        ("her2", [("ERBB2", "alias")]),
        ("rec-0000123", [("REC-0000123", "case")]),
        ("REC 0000123", [("REC-0000123", "space")]),
        ("REC-123", [("REC-0000123", "prefix")]),
        ("rec123", [("REC-0000123", "prefix")]),
        ("0000123", [("REC-0000123", "prefix")]),
        ("123", [("REC-0000123", "prefix")]),
        ("XYZ-0000123", []),
        ("53", []),
        ("BRCA9", []),
        ("", []),
    ],
)
def test_meant(typed: str, expected: list[tuple[str, str]]) -> None:
    assert meant(typed) == expected


def test_exact_stands_first_and_what_is_alike_behind_it() -> None:
    assert meant("Brca1", Matcher(["BRCA1", "Brca1", "BRCA-1"])) == [
        ("Brca1", "exact"),
        ("BRCA1", "case"),
        ("BRCA-1", "space"),
    ]


def test_alias_works_in_both_directions() -> None:
    assert meant("ERBB2", Matcher(["HER2"], Aliases([["ERBB2", "HER2"]]))) == [("HER2", "alias")]


@pytest.mark.parametrize(
    ("typed", "first", "why"),
    [
        ("BRAC1", "BRCA1", "two letters changed places"),
        ("BRCA3", "BRCA1", "one letter differs"),
        ("BRCA", "BRCA1", "goes on with '1'"),
        ("TP53X", "TP53", "ends before 'X'"),
        ("REC-0000125", "REC-0000123", "one letter differs"),
        ("REC-0000132", "REC-0000123", "two letters changed places"),
    ],
)
def test_near(typed: str, first: str, why: str) -> None:
    near = KNOWN.near(typed)
    assert (near[0].pert, near[0].why) == (first, why)
    assert 60 <= near[0].score < 100


def test_near_is_not_what_merely_shares_a_prefix() -> None:
    assert "REC-0004532" not in [near.pert for near in KNOWN.near("REC-0000125")]
    assert KNOWN.near("SOMETHING-ELSE-ALTOGETHER") == ()


@pytest.mark.parametrize(
    ("typed", "name", "concentration"),
    [
        ("REC-0000123", "REC-0000123", None),
        ("REC-0000123 at 3.3", "REC-0000123", 3.3),
        ("REC-0000123@3.3uM", "REC-0000123", 3.3),
        ("REC-0000123 @ 300 nM", "REC-0000123", 0.3),
        ("REC-0000123 3,3 µM", "REC-0000123", 3.3),
        ("REC-0000123 at 1e-2 μM", "REC-0000123", 0.01),
        ("REC-0000123 at 1e999", "REC-0000123 at 1e999", None),
        ("REC-0000123 3.3", "REC-0000123 3.3", None),
        ("BRCA1", "BRCA1", None),
        ("cat 5", "cat 5", None),
    ],
)
def test_question(typed: str, name: str, concentration: float | None) -> None:
    asked = matching.question(typed)
    assert (asked.name, asked.concentration) == (name, concentration)


def test_known_name_is_itself_whatever_it_looks_like() -> None:
    assert matching.question("REC-1 at 3", {"REC-1 at 3"}).concentration is None


def test_concentration_of_a_float32_is_the_same() -> None:
    asked = matching.question("x at 0.3")
    assert asked.fits([0.1, 0.30000001192092896])
    assert not asked.fits([0.1, 0.33])
    assert not asked.fits([])


def test_wrong_concentration_names_the_nearest() -> None:
    near = matching.wrong_concentration("REC-0000123", 3.3, [0.1, 1.0, 3.0, 10.0])
    assert near.concentration == 3.0
    assert near.why == "it is there, but not at 3.3 µM: at 0.1, 1, 3, 10 µM"
    assert near.score > matching.wrong_concentration("REC-0000123", 50.0, [0.1]).score
    assert matching.wrong_concentration("x", 0.0, [0.1]).concentration == 0.1
    assert "no concentrations" in matching.wrong_concentration("BRCA1", 1.0, []).why


@given(st.lists(st.text(min_size=1), max_size=20), st.text())
def test_any_names_any_question(names: list[str], typed: str) -> None:
    known = Matcher(names)
    asked = matching.question(typed, known.names)
    found = known.matches(asked.name)
    assert {match.pert for match in found} <= set(names)
    assert not {near.pert for near in known.near(asked.name)} & {match.pert for match in found}
    for name in names:
        assert known.matches(name)[0] == matching.Match(name, "exact")


class TestAliases:
    def test_toml(self, tmp_path: Path) -> None:
        file = tmp_path / "genes.toml"
        file.write_text('ERBB2 = ["HER2", "NEU"]\nTP53 = "p53"\n')
        table = aliases.load(str(file))
        assert table.others("her2") == ("ERBB2", "NEU")
        assert table.others("TP53") == ("p53",)

    def test_csv_of_names(self, tmp_path: Path) -> None:
        file = tmp_path / "genes.csv"
        file.write_text("ERBB2,HER2,NEU\nTP53,p53|LFS1\n")
        table = aliases.load(str(file))
        assert table.others("NEU") == ("ERBB2", "HER2")
        assert table.others("LFS1") == ("TP53", "p53")

    def test_download_of_hgnc(self, tmp_path: Path) -> None:
        file = tmp_path / "hgnc.txt"
        file.write_text(
            "hgnc_id\tsymbol\tname\talias_symbol\tprev_symbol\n"
            "HGNC:3430\tERBB2\terb-b2 receptor\tHER2|NEU\tNGL\n"
            'HGNC:11998\tTP53\ttumor protein p53\t"p53|LFS1"\t\n'
        )
        table = aliases.load(str(file))
        assert set(table.others("NGL")) == {"ERBB2", "HER2", "NEU"}
        assert table.others("HGNC:3430") == ()
        assert table.others("p53") == ("TP53", "LFS1")

    def test_none(self) -> None:
        assert len(aliases.load("")) == 0

    @pytest.mark.parametrize(
        ("name", "content"),
        [("a.toml", b"= nonsense"), ("a.toml", b"BRCA1 = 3"), ("a.csv", b'"open'), ("a.csv", b"\xff\xfe"), ("", None)],
    )
    def test_bad_table_is_named(self, tmp_path: Path, name: str, content: bytes | None) -> None:
        file = tmp_path / (name or "missing.csv")
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"cache\.aliases_file") as problem:
            aliases.load(str(file))
        assert str(file) in problem.value.message
