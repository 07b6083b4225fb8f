"""Which entries are kept, and what is said of an expression that is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import UsageError
from toolkit.logs.entry import Known, Line, Severity, Stream
from toolkit.logs.filters import Filter
from toolkit.logs.reading import read

POD = Stream("pods", "prod-cluster/rp006/pod-x/main", "pod-x")
LOG = [
    "2026-11-24 10:59:12,123 INFO phenoapp.cache: Wrote g0:vectors (12 bytes)",
    "2026-11-24 10:59:12,123 ERROR phenoapp.cache: Cannot write g0_prox:vectors",
    json.dumps(
        {"level": "info", "event": "caf\u00e9 BRCA1", "group": {"name": "g1", "perts": ["TP53", "brca1"]}, "n": 3}
    ),
    json.dumps({"level": "warning", "event": "slow", "httpRequest": {"status": 502}, "ok": False, "k8s.io/name": "x"}),
    "\x1b[31mERROR\x1b[0m: \x1b[1mred\x1b[0m words BRCA12 \udcff",
]


def kept(**typed: object) -> list[int]:
    wanted = Filter.typed(**typed)  # type: ignore[arg-type]
    lines = [Line(1, text, POD) for text in LOG]
    found = [at for at, line in enumerate(lines) if wanted.keeps(read(line))]
    assert all(wanted.keeps_line(lines[at]) for at in found)
    return found


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"grep": ["vectors"]}, [0, 1]),
        ({"grep": ["vectors", "Cannot"]}, [1]),
        ({"grep": ["^2026.*bytes\\)$"]}, [0]),
        ({"grep": ["WROTE"]}, []),
        ({"grep": ["WROTE"], "ignore_case": True}, [0]),
        ({"grep": ["café"]}, [2]),
        ({"grep": ["red words"]}, [4]),
        ({"exclude": ["phenoapp", "slow"]}, [2, 4]),
        ({"exclude": ["red words"], "level": "error"}, [1]),
        ({"level": "warn"}, [1, 3, 4]),
        ({"names": ["g0"]}, [0]),
        ({"names": ["brca1"]}, [2]),
        ({"names": ["tp53", "G0"]}, [0, 2]),
        ({"fields": ["logger=phenoapp.cache"]}, [0, 1]),
        ({"fields": ["group.name=g1"]}, [2]),
        ({"fields": ["group.perts=TP53", "n=3.0"]}, [2]),
        ({"fields": ["httpRequest.status~^5"]}, [3]),
        ({"fields": ["ok=false", "k8s.io/name=x"]}, [3]),
        ({"fields": ["severity=ERROR", "logger!~^pheno"]}, [4]),
        ({"fields": ["origin~prod-cluster", "n!=3"]}, [0, 1, 3, 4]),
    ],
)
def test_kept(typed: dict[str, object], wanted: list[int]) -> None:
    assert kept(**typed) == wanted


def test_what_the_source_knows_counts() -> None:
    line = Line(1, "words", POD, Known(Severity.INFO, {"pert": "BRCA1"}))
    assert Filter.typed(names=["brca1"]).keeps_line(line)
    assert Filter.typed(names=["brca1"]).keeps(read(line))
    assert not Filter.typed(level="error").keeps_line(line)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cache(man", "position 6"),
        ("[z-a]", "position 2"),
        ("a(?=b)", "unknown to RE2, which matches in linear time, at position 2"),
        ("*x", "position 1"),
        ("a{9999}", "position 2"),
        ("\\", "is no regular expression"),
        ("\udcff(", "is no regular expression"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        Filter.typed(grep=[text])
    assert said in raised.value.message
    assert raised.value.hint
    assert "\udcff" not in raised.value.message


@pytest.mark.parametrize("typed", [{"fields": ["group"]}, {"fields": ["=x"]}, {"level": "loud"}, {"fields": ["a~("]}])
def test_what_cannot_be_meant(typed: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Filter.typed(**typed)  # type: ignore[arg-type]


anything = st.text(st.characters(exclude_categories=()), max_size=60)


@given(anything, anything)
def test_any_expression_on_any_line(expression: str, text: str) -> None:
    try:
        wanted = Filter.typed(grep=[expression], names=[expression], fields=[f"x~{expression}"])
    except UsageError:
        return
    wanted.keeps_line(Line(0, text, POD))
    wanted.keeps(read(Line(0, text, POD)))


def test_an_expression_that_others_never_finish() -> None:
    line = Line(0, "a" * 100_000, POD)
    assert not Filter.typed(grep=["^(a+)+b$"]).keeps_line(line)
