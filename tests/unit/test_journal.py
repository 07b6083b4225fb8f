"""The journal: what it keeps, and which tampering it notices."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from actions_fixtures import Empty

from toolkit import paths
from toolkit.actions.journal import Journal
from toolkit.actions.plan import Outcome, Result
from toolkit.errors import NotFound
from toolkit.secret import Secret

PLAN = Empty({"a": "1"}).plan()
DONE = Outcome(Result.DONE, "emptied", undo=("fill it",))


def filled(count: int = 3) -> Journal:
    journal = Journal()
    for _ in range(count):
        journal.closed(journal.opened(PLAN), PLAN, DONE)
    return journal


def lines() -> list[str]:
    return Journal().file.read_text("utf-8").splitlines()


def rewrite(new: list[str]) -> None:
    Journal().file.write_text("".join(line + "\n" for line in new), "utf-8")


def test_it_is_whole_as_it_was_written() -> None:
    journal = filled()
    assert journal.verify() == []
    assert [o.result for o in journal.operations()] == ["done"] * 3
    assert journal.file.stat().st_mode & 0o777 == 0o600


def test_an_empty_one_is_whole() -> None:
    assert Journal().verify() == []
    assert Journal().operations() == []
    assert Journal().unfinished() == []


def test_a_changed_line_is_named() -> None:
    filled()
    changed = lines()
    changed[3] = changed[3].replace("emptied", "kept")
    rewrite(changed)
    assert [p.line for p in Journal().verify()] == [4]


def test_a_changed_line_with_a_hash_made_to_fit_breaks_the_next() -> None:
    from toolkit.actions import journal as module

    filled()
    changed = lines()
    item = json.loads(changed[1])
    item["content"]["summary"] = "kept"
    item["hash"] = module._digest(item)
    changed[1] = json.dumps(item)
    rewrite(changed)
    assert [p.line for p in Journal().verify()] == [3]


def test_a_removed_line_is_named() -> None:
    filled()
    rewrite(lines()[:2] + lines()[3:])
    assert {p.line for p in Journal().verify()} == {3}


def test_lines_taken_off_the_end_are_noticed() -> None:
    filled()
    rewrite(lines()[:-2])
    (problem,) = Journal().verify()
    assert "the last entry was 6" in problem.what


def test_a_line_that_was_cut_by_a_crash_does_not_take_the_next_with_it() -> None:
    journal = filled(1)
    with journal.file.open("a") as file:
        file.write('{"seq": 3, "ti')
    operation = journal.opened(PLAN)
    assert {p.line for p in journal.verify()} == {3}
    assert operation in {o.operation for o in journal.operations()}


def test_an_operation_whose_process_died_is_unfinished_until_settled() -> None:
    journal = Journal()
    operation = journal.opened(PLAN)
    assert journal.unfinished() == []  # we live
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    (paths.state() / "journal.open" / operation).write_text(str(pid))
    (found,) = journal.unfinished()
    assert found.operation == operation
    journal.settle(found)
    assert journal.unfinished() == []
    assert journal.verify() == []


def test_secrets_do_not_get_in() -> None:
    token = Secret("s.very-secret-token")
    journal = Journal()
    plan = replace(PLAN, by_hand=(f"redis-cli -a {token.reveal()}",))
    journal.closed(journal.opened(plan), plan, Outcome(Result.DONE, f"with {token.reveal()}"))
    assert token.reveal() not in journal.file.read_text("utf-8")
    assert journal.verify() == []


def test_many_at_once_keep_the_chain() -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: filled(2), range(8)))
    assert Journal().verify() == []
    assert len(Journal().operations()) == 16


def test_an_operation_is_found_by_the_beginning_of_its_id() -> None:
    journal = filled(2)
    wanted = journal.operations()[1]
    found, plan = journal.operation(wanted.operation[:6])
    assert found == wanted
    assert plan["plan"] == PLAN.hash
    with pytest.raises(NotFound):
        journal.operation("zz")
