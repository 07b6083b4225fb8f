"""Runbooks are read and linted: what is in them, and every mistake with its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.checks import questions
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Input, Question
from toolkit.errors import Failed
from toolkit.walkthrough import templates
from toolkit.walkthrough.library import library, read_file
from toolkit.walkthrough.lint import lint
from toolkit.walkthrough.page import Prose
from toolkit.walkthrough.parsing import parse

HEAD = "---\ntitle: T\nsymptom: S\ninputs:\n  - {name: pert, prompt: 'Which?', kind: pert}\n---\n"  # six lines


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Question(
        "pert-in-cache", "", lambda *_: Finding("", Status.OK, ""), (Input("pert", "pert", "", required=True),)
    )
    monkeypatch.setattr(questions, "QUESTIONS", {asked.name: asked})


def test_a_page_is_read_in_its_order() -> None:
    page = parse(
        HEAD + '# T\n\nHello.\n\n## Is it there?\n\nLook.\n\n```check pert-in-cache\npert: "{{ pert }}"\n```\n\n'
        "```python\nno live block\n```\n\n```choose\n- when: checks['pert-in-cache'].ok\n  go: end\n- otherwise: next\n"
        "```\n\n## Then\n\n```wait-for pert-in-cache\npert: a\nlimit: 2h\nevery: 5s\n```\n",
        "t",
    )
    assert page.problems == ()
    assert page.introduction == "Hello."
    assert [step.name for step in page.steps] == ["is-it-there", "then"]
    look, check, code, choose = page.steps[0].parts
    assert isinstance(look, Prose)
    assert isinstance(code, Prose)
    assert "no live block" in code.text
    assert (check.word, check.inputs, check.place.line) == ("check", {"pert": "{{ pert }}"}, 15)
    assert [branch.go for branch in choose.branches] == ["end", "next"]
    assert (page.steps[1].blocks[0].limit, page.steps[1].blocks[0].every) == (7200, 5)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("## A\n```check pert-in-cash\npert: a\n```\n", "8:1: unknown check 'pert-in-cash': did you mean"),
        ("## A\n```check pert-in-cache\npert: a\ngroop: b\n```\n", "10:1: check pert-in-cache takes no 'groop'"),
        ("## A\n```check pert-in-cache\n```\n", "8:1: check pert-in-cache needs pert"),
        ("## A\n```action cache.rebild\n```\n", "8:1: unknown action 'cache.rebild': did you mean 'cache.rebuild'?"),
        ("## A\n```chek pert-in-cache\n```\n", "8:4: unknown block 'chek': did you mean 'check'?"),
        ("## A\n```check pert-in-cache\npert: {{ pert }}\n```\n", "9:8: bad YAML"),
        ("## A\n```check pert-in-cache\npert: '{{ pert'\n```\n", "9:1: bad template"),
        ("## A\nSee\nthe {{ part }}.\n", "9:5: unknown name 'part' in a template: did you mean 'pert'?"),
        ("## A\n```choose\n- when: checks['x'].ok\n  go: end\n```\n", "10:3: checks['x']: this runbook has no"),
        ("## A\n```choose\n- when: 1 +\n  go: end\n```\n", "9:3: bad condition"),
        ("## A\n```choose\n- otherwise: b\n```\n## Bee\n", "9:3: there is no step 'b'"),
        ("## A\n```choose\n- otherwise: none.md\n```\n", "9:3: there is no runbook 'none.md'"),
        ("## A\n```choose\n- otherwise: end\n```\n## B\n", "11:1: no way leads to the step 'b'"),
        ("## A\n## B\n```choose\n- otherwise: a\n```\n", "7:1: from the step 'a' no way leads to an end: a loop"),
        ("## A\nSee [that](#bee) and\n[this](gone.md).\n## B\n", "9:8: dead link: there is no gone.md"),
        ("## A\nSee [that](#bee).\n## B\n", "8:12: dead link: there is no heading #bee"),
        ("## A\n```sh\n# don't\necho {{ pert }} \"{{ pert }}\"\n```\n", "10:18: a template in a `sh` block"),
        ("## A\n```sh\ncat <<E\n{{ pert }}\nE\n```\n", "10:1: a template in a `sh` block stands without"),
        ("text\n", "7:1: no step"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(body: str, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(HEAD + body)
    found, _ = lint([file])
    assert any(one.line_text.startswith(f"{file}:{expected}") for one in found), found


def test_front_matter_has_places_too(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("---\ntitle: T\nsymtom: S\n---\n## A\n")
    assert [one.line_text.removeprefix(f"{file}:") for one in lint([file])[0]] == [
        "1:1: the front matter has no symptom",
        "3:1: unknown key 'symtom': did you mean 'symptom'?",
    ]


def test_a_template_neither_runs_code_nor_passes_over_what_it_does_not_know() -> None:
    for text in ("{{ ''.__class__.__mro__ }}", "{{ unknown }}", "{{ checks['a'].facts.b }}", "{{ 1 / 0 }}"):
        with pytest.raises(Failed):
            templates.render(text, {"checks": {"a": {"facts": {}}}})


@given(st.text())
def test_a_value_stays_one_word_in_a_shell(value: str) -> None:
    import shlex

    assert shlex.split(templates.render("x {{ pert }}", {"pert": value}, quoted=True)) == ["x", value]


@given(st.text(alphabet="#`- \n:{}[]abc'\"&*!|>%~\t\0é", max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    parse(HEAD + "## A\n```choose\n" + text, "x")
    parse("---\n" + text + "\n---\n## A\n```check a\n" + text + "\n```\n", "x")
    parse(text, "x")


def test_the_shipped_runbooks_are_of_the_right_form() -> None:
    files = library().files()
    assert len(files) >= 10
    for file in files.values():
        page = read_file(file)
        assert page.problems == (), file
        assert page.owner
        assert page.last_proven


def test_a_folder_of_the_users_own_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "find-the-logs.md").write_text("---\ntitle: Mine\nsymptom: S\n---\n## A\nLook.\n")
    monkeypatch.setenv("TOOLKIT_RUNBOOKS", str(mine))
    assert library().runbook("find-the-logs").title == "Mine"
    assert "rebuild-failed" in library().files()
