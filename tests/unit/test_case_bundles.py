"""A case in a file: what is in it, that it becomes a case again, and that nothing else is taken for one."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import NotFound, Refused, ToolkitError, UsageError
from toolkit.secret import Secret
from toolkit.walkthrough import bundle
from toolkit.walkthrough.bundle_reading import read
from toolkit.walkthrough.case import Case, State, unsettled
from toolkit.walkthrough.library import library
from toolkit.walkthrough.parsing import parse
from toolkit.walkthrough.record import Record
from toolkit.walkthrough.report import document, report

PAGE = "---\ntitle: Why?\nsymptom: S\n---\n## Look\n```check redis\n```\n## Tell\nTell them.\n"
FOUND = {
    "name": "redis", "status": "fail", "well": False, "ok": False, "summary": "no answer", "hint": "", "seconds": 0.1,
    "evidence": ["refused"], "by_hand": ["redis-cli ping"], "facts": {"token_taken": False}, "inputs": {},
}  # fmt: skip


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "ana.sqlite")


@pytest.fixture
def case(record: Record) -> Case:
    """At its second step: the first has found something, and has a note."""
    runbook = parse(PAGE, "why")
    case = record.begin(runbook, "sandbox")
    visit = record.open(case, runbook.steps[0])
    record.note(case, visit, "found", FOUND)
    return record.move(case, visit, State.DONE, "asked Bo", here=("why", "tell"), trail=(("why", "look"),))


@pytest.fixture
def file(record: Record, case: Case, tmp_path: Path) -> Path:
    bundle.write(record, case, tmp_path / "case.zip")
    return tmp_path / "case.zip"


def test_it_holds_the_record_the_report_and_the_text_and_nothing_else(
    file: Path, record: Record, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    record.keep_page(case.id, library().runbook("connect-to-redis"))  # the walk never came there
    with zipfile.ZipFile(file) as packed:
        entries = {name: packed.read(name).decode() for name in packed.namelist()}
    assert set(entries) == {"bundle.json", "case.json", "report.md", "runbooks/why.md"}
    assert entries["runbooks/why.md"] == PAGE
    assert entries["report.md"] == report(record, case)
    assert "asked Bo" in entries["case.json"]


def test_nothing_that_looks_like_a_credential_goes_with_it(
    record: Record, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = "hvs." + "CAESIJ1nN0tReal" * 3
    known, own = Secret("q7-w9-not-shaped-like-any"), "my-own-vault-token-1"
    monkeypatch.setenv("VAULT_TOKEN", own)
    told = f"{vault} {known.reveal()} {own} redis://:pa55word@10.0.0.1:6379 token: 9f8e7d6c5b4a3f2e1d0c"
    visit = record.open(case, parse(PAGE, "why").steps[1])
    record.note(case, visit, "ran", {"command": "vault print token", "code": 0, "output": told})
    bundle.write(record, case, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        text = "".join(packed.read(name).decode() for name in packed.namelist())
    for secret in (vault, known.reveal(), own, "pa55word", "9f8e7d6c5b4a3f2e1d0c"):
        assert secret not in text
    assert "10.0.0.1:6379" in text


def test_it_becomes_a_case_of_ones_own_once(file: Path, case: Case, record: Record, tmp_path: Path) -> None:
    mine = Record(tmp_path / "bo.sqlite")
    taken, new = mine.take_over(read(file))
    assert new
    assert taken.id != case.id
    assert taken.origin is not None
    assert (taken.origin.case, taken.origin.who, taken.here) == (case.id, case.who, ("why", "tell"))
    events = mine.events(taken.id)
    assert [event.kind for event in events] == ["opened", "found", "closed"]
    assert {event.by for event in events} == {case.who}
    assert [event.time for event in events] == [event.time for event in record.events(case.id)]
    assert f"Taken over from {case.who} (case `{case.id}`" in report(mine, taken)
    assert f"**fail** `redis`: no answer (by {case.who})" in report(mine, taken)
    assert document(mine, taken)["origin"]["case"] == case.id
    bundle.write(record, case, tmp_path / "again.zip")  # made anew, of the same state
    for again in (file, tmp_path / "again.zip"):
        assert mine.take_over(read(again)) == (taken, False)
    assert len(mine.cases()) == 1
    assert record.take_over(read(file)) == (case, False)

    visit = mine.open(taken, parse(PAGE, "why").steps[1])
    ended = mine.move(taken, visit, State.DONE, "", here=None, trail=())
    bundle.write(mine, ended, tmp_path / "third.zip")
    third = Record(tmp_path / "cy.sqlite")
    whose = [event.by for event in third.events(third.take_over(read(tmp_path / "third.zip"))[0].id)]
    assert whose == [case.who] * 3 + [taken.who] * 2


def test_an_answer_that_is_the_same_when_asked_again_stays_settled(file: Path, tmp_path: Path) -> None:
    mine = Record(tmp_path / "bo.sqlite")
    case, _ = mine.take_over(read(file))
    visit = mine.open(case, parse(PAGE, "why").steps[1])
    assert len(unsettled(mine.events(case.id))) == 1
    mine.note(case, visit, "chosen", {"because": "x", "goes_to": "tell"})
    mine.note(case, visit, "found", {**FOUND, "again": True})
    assert unsettled(mine.events(case.id)) == []
    mine.note(case, visit, "found", {**FOUND, "status": "unknown", "again": True})
    assert len(unsettled(mine.events(case.id))) == 1


def packed_anew(file: Path, change: Callable[[dict[str, Any]], object], *, honest: bool = True) -> None:
    """The bundle with its entries changed; `honest`: with the right sums, as somebody would who means ill."""
    with zipfile.ZipFile(file) as packed:
        entries: dict[str, Any] = {name: packed.read(name) for name in packed.namelist()}
    parts = {name: json.loads(entries[name]) for name in ("bundle.json", "case.json")}
    entries |= parts
    change(entries)
    written = {n: json.dumps(c).encode() if not isinstance(c, bytes) else c for n, c in entries.items()}
    if honest and isinstance(entries.get("bundle.json"), dict):
        sums = {name: hashlib.sha256(text).hexdigest() for name, text in written.items() if name != "bundle.json"}
        written["bundle.json"] = json.dumps(entries["bundle.json"] | {"files": sums}).encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in written.items():
            packed.writestr(name, text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.update({"../../evil.md": b"x"}), "does not belong"),
        (lambda e: e.update({"/etc/cron.d/x": b"x"}), "does not belong"),
        (lambda e: e.update({"runbooks/../x.md": b"x"}), "does not belong"),
        (lambda e: e.update({"runbooks/big.md": b"x" * (1 << 20) + b"x"}), "larger than 1 MB"),
        (lambda e: e.update({f"runbooks/{n}.md": b"x" for n in range(200)}), "too many"),
        (lambda e: e.pop("bundle.json"), "has no bundle.json"),
        (lambda e: e.pop("case.json"), "has no case.json"),
        (lambda e: e.pop("runbooks/why.md"), "the runbook why is not in it"),
        (lambda e: e["bundle.json"].update(kind="something else"), "was not made by"),
        (lambda e: e["bundle.json"].update(format=2, toolkit="9.1"), "format 2, made by toolkit '9.1'"),
        (lambda e: e["bundle.json"].update(more=1), "unknown field"),
        (lambda e: e["case.json"]["case"].update(here=["why", "gone"]), "as the case needs it"),
        (lambda e: e["case.json"]["case"].update(runbook="../x"), "Expected `str` matching"),
        (lambda e: e["case.json"]["case"].update(here=None), "until it has ended"),
        (lambda e: e["case.json"]["events"][0].update(kind="deleted"), "an event of the kind 'deleted'"),
        (lambda e: e["case.json"]["events"][1]["content"].update(evidence="x"), "Expected `array`"),
        (lambda e: e["case.json"]["steps"][0].update(step="\x1b[2J"), "Expected `str` matching"),
        (lambda e: e["case.json"]["events"][1]["content"].update(name="\x1b[2J"), "Expected `str` matching"),
        (lambda e: e.update({"case.json": b"{"}), "case.json or a runbook in it is wrong"),
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_refused(change: Callable[[Any], object], message: str, file: Path) -> None:
    packed_anew(file, change)
    with pytest.raises(Refused, match=message):
        read(file)


def test_a_bundle_that_was_changed_or_cut_short_is_refused(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    for length in range(0, len(whole), 97):
        file.write_bytes(whole[:length])
        with pytest.raises(Refused, match="no whole zip"):
            read(file)
    for at in range(30, len(whole), 41):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        try:
            read(file)
        except ToolkitError:
            continue
    file.write_bytes(whole)
    packed_anew(file, lambda e: e["case.json"]["case"].update(title="Other"), honest=False)
    with pytest.raises(Refused, match="not what it was"):
        read(file)
    with pytest.raises(NotFound):
        read(tmp_path / "gone.zip")


def test_a_file_that_is_there_is_not_written_over(record: Record, case: Case, tmp_path: Path) -> None:
    (tmp_path / "thesis.zip").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        bundle.write(record, case, tmp_path / "thesis.zip")
    with pytest.raises(UsageError, match=r"ends in \.zip"):
        bundle.write(record, case, tmp_path / "case.txt")
    assert (tmp_path / "thesis.zip").read_text() == "mine"
    assert [one.name for one in tmp_path.glob("*.zip")] == ["thesis.zip"]
