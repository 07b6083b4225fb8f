"""`toolkit drill`: its case is kept back, what is typed is recorded, and the score says what a trainer would say."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Ran, Sandbox

from toolkit.drills import store
from toolkit.sandbox import client

E = ("--env", "sandbox")


@pytest.fixture(autouse=True)
def _no_drill_before_and_after(sandbox: Sandbox) -> Iterator[None]:
    def clear() -> None:
        for file in (store.file(), store.over_file()):
            file.unlink(missing_ok=True)

    clear()
    yield
    clear()


def begun(sandbox: Sandbox, *scenarios: str, level: int = 1) -> Any:
    words = [word for name in scenarios for word in ("--scenario", name)]
    return sandbox.run("drill", "--level", str(level), *words, "-o", "json").json()


def points(score: Any) -> dict[str, int]:
    return {one["why"]: one["points"] for one in score["deductions"]}


def test_solved_and_mended(sandbox: Sandbox) -> None:
    drill = begun(sandbox, "redis-flushed")
    assert (drill["state"], drill["scenario"], drill["seed"], drill["score"]) == ("on", None, None, None)
    assert "Please reload the groups." in drill["symptoms"][0]["words"]
    sandbox.run("groups", "list", *E)
    sandbox.run("cache", "status", *E)
    sandbox.run("cache", "rebuild", *E, "--yes")
    sandbox.run("app", "restart", *E, "--yes")
    ran = sandbox.run("drill", "answer", "Redis flush", "--keep", "-o", "json")
    assert "Taken as redis-flushed." in ran.err
    solved = ran.json()
    assert solved["scenario"] == ["redis-flushed"]
    score = solved["score"]
    assert (score["verdict"], score["mended"], score["points"]) == ("right", True, 100)
    assert (score["detours"], score["damage"], score["deductions"]) == ([], [], [])
    typed = ["groups list", "cache status", "cache rebuild", "app restart"]
    assert [one["words"] for one in solved["commands"]] == typed
    way = {step["command"]: step["looked"] for step in score["way"]}
    assert way == dict.fromkeys([f"toolkit {words} --env sandbox" for words in typed], True)
    # --keep left the world, and its scenario is no secret any more
    assert sandbox.run("sandbox", "status", "-o", "json").json()["scenarios"] == ["redis-flushed"]
    assert "100 of 100" in sandbox.run("drill", "status").out


def test_a_rebuild_mends_it_as_the_diagnosis_says(sandbox: Sandbox) -> None:
    name = "half-written-group"
    begun(sandbox, name)
    sandbox.run("cache", "rebuild", *E, "--yes")
    score = sandbox.run("drill", "answer", name, "-o", "json").json()["score"]
    assert (score["mended"], score["damage"]) == (True, [])
    assert score["way"][-1] == {
        "command": "toolkit app restart --env sandbox",
        "why": "Then the pods load into memory (L1) what was rebuilt.",
        "looked": False,
    }
    assert sandbox.run("sandbox", "status", "-o", "json").json()["scenarios"] == ["healthy"]


def test_a_wrong_answer_costs_and_the_drill_goes_on(sandbox: Sandbox) -> None:
    begun(sandbox, "redis-flushed")
    ran = sandbox.run("drill", "answer", "rebuild-failed", code=1)
    assert "It is not that" in ran.out
    assert "redis-flushed" not in ran.out + ran.err
    ran = sandbox.run("drill", "answer", "something-else", code=2)
    assert "does not count" in ran.err
    assert "Did you mean" in sandbox.run("drill", "answer", "redis-fl", code=2).err
    sandbox.run("map", "consistency", "BRCA1", *E, code=None)
    score = sandbox.run("drill", "answer", "redis-flushed", "-o", "json").json()["score"]
    assert score["mended"] is False
    assert score["checks_seen"] == []
    assert score["detours"] == ["map consistency"]
    assert points(score) == {
        "answered rebuild-failed": 15,
        "not mended": 20,
        "answered on 0 of 2 checks": 10,
        "1 detour": 3,
    }
    assert score["points"] == 100 - 15 - 20 - 10 - 3


def test_damage_is_counted_from_the_journal(sandbox: Sandbox) -> None:
    begun(sandbox, "pert-misspelled")
    sandbox.run("groups", "find", "BRAC1", *E, code=1)
    sandbox.run("groups", "flush", *E, "--yes")
    score = sandbox.run("drill", "answer", "pert-misspelled", "-o", "json").json()["score"]
    assert score["mended"] is None
    assert len(score["damage"]) == 1
    assert score["damage"][0].startswith("groups.flush")
    assert score["points"] == 80


def test_damage_that_no_journal_knows_is_seen_in_the_world(sandbox: Sandbox) -> None:
    begun(sandbox, "pert-misspelled")
    sandbox.spawn("redis", "shell", *E, "--", "flushall")
    drill = sandbox.run("drill", "answer", "pert-misspelled", "-o", "json").json()
    assert drill["score"]["damage"] == ["the world: the diagnosis now finds redis-flushed too"]
    assert [typed["words"] for typed in drill["commands"]] == ["redis shell"]  # not what was given to it


def test_what_the_case_needs_is_damage_when_done_twice_or_elsewhere(sandbox: Sandbox) -> None:
    begun(sandbox, "redis-flushed")
    sandbox.run("cache", "rebuild", *E, "--yes")
    sandbox.run("cache", "rebuild", *E, "--yes")
    sandbox.run("groups", "flush", "--env", "sandbox-mapapp", "--yes")
    damage = sandbox.run("drill", "give-up", "-o", "json").json()["score"]["damage"]
    assert [line.split(":")[0] for line in damage] == ["cache.rebuild", "groups.flush"]
    assert "once was enough" in damage[0]
    assert "in sandbox-mapapp" in damage[1]


def test_two_causes(sandbox: Sandbox) -> None:
    drill = begun(sandbox, "vault-sealed", "pert-misspelled", level=3)
    assert len(drill["symptoms"]) == 2
    sandbox.run("vault", "status", *E, code=None)
    sandbox.run("why", "BRAC1", *E, code=1)
    ran = sandbox.run("drill", "answer", "vault-sealed", "-o", "json", code=1)
    assert ran.json()["answers"][0]["verdict"] == "partly"
    assert ran.json()["scenario"] is None
    solved = sandbox.run("drill", "answer", "pert-misspelled", "vault-sealed", "-o", "json").json()
    assert set(solved["scenario"]) == {"pert-misspelled", "vault-sealed"}
    assert points(solved["score"]) == {"answered vault-sealed": 10, "`toolkit why` was asked": 10}
    assert len(solved["score"]["advice"]) == 2


def test_the_same_seed_picks_the_same_case(sandbox: Sandbox) -> None:
    def case() -> Any:
        assert sandbox.run("drill", "--level", "3", "--seed", "11", "-o", "json").json()["seed"] is None
        return sandbox.run("drill", "give-up", "-o", "json").json()

    first, second = case(), case()
    assert first["seed"] == 11
    assert len(first["scenario"]) == 2
    assert first["scenario"] == second["scenario"]
    assert first["score"]["verdict"] == "none"


def test_the_name_is_in_no_output_before_the_answer(sandbox: Sandbox) -> None:
    told: list[Ran] = [sandbox.run("drill", "--scenario", "token-rotated")]
    for words in (
        ("drill",), ("drill", "status"), ("drill", "status", "-o", "json"), ("drill", "status", "-o", "plain"),
        ("drill", "hint"), ("drill", "hint"), ("drill", "hint", "-o", "json"),
        ("sandbox", "status"), ("sandbox", "status", "-o", "json"), ("sandbox", "start", "-o", "json"),
        ("sandbox", "scenario", "healthy"), ("demo",), ("drill", "--level", "2"),
        ("groups", "flush", *E, "--yes"), ("journal", "list"), ("journal", "list", "-o", "json"),
        ("doctor", *E), ("cache", "status", *E), ("logs", *E), ("runbook", "list"),
        ("drill", "answer", "redis-flushed"),
    ):  # fmt: skip
        told.append(sandbox.run(*words, code=None))
    assert not [ran for ran in told if "token-rotated" in ran.out + ran.err]
    assert "a drill is going on" in told[8].out
    assert [ran.code for ran in told[11:14]] == [5, 5, 5]
    assert "toolkit drill give-up" in told[11].err
    assert store.file().stat().st_mode & 0o077 == 0
    # nor can it be read from the drill's file, or the daemon's log
    assert "token-rotated" not in store.file().read_text("utf-8")
    log = (client.directory() / "daemon.log").read_text("utf-8")
    scenarios = [line for line in log.splitlines() if " scenario " in line]
    assert scenarios[-1].endswith("scenario of a drill in sandbox")
    rows = sandbox.run("sandbox", "scenario", "-o", "json").json()
    assert not any(row["on"] for row in rows)


def test_hints_lead_along_the_way_and_end(sandbox: Sandbox) -> None:
    begun(sandbox, "proxy-moved")
    assert "toolkit redis address --env sandbox" in sandbox.run("drill", "hint").out
    assert "all that tells it" in sandbox.run("drill", "hint").out.replace("\n", " ")
    assert "no more help" in sandbox.run("drill", "hint", code=5).err
    score = sandbox.run("drill", "answer", "proxy-moved", "-o", "json").json()["score"]
    assert points(score)["2 hints"] == 20


def test_killed_while_it_begins_and_goes_on(sandbox: Sandbox) -> None:
    words = [sys.executable, "-m", "toolkit", "drill", "--scenario", "redis-flushed"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(store.file().exists)
        process.send_signal(signal.SIGKILL)
    before = store.going_on()
    assert before is not None
    found = sandbox.run("drill", "-o", "json")
    assert found.json()["state"] == "on"
    assert found.json()["drill"] == before.id
    assert "going on already" in found.err
    assert sandbox.run("drill", "give-up", "-o", "json").json()["scenario"] == ["redis-flushed"]


def test_one_that_lost_its_world_is_brought_about_again(sandbox: Sandbox) -> None:
    begun(sandbox, "redis-flushed")
    sandbox.run("groups", "list", *E)
    sandbox.scenario("healthy")  # as after the sandbox was stopped
    ran = sandbox.run("drill", "answer", "redis-flushed", code=5)
    assert "does not count" in ran.err
    again = sandbox.run("drill", "-o", "json")
    assert "brought about again" in again.err
    assert [typed["words"] for typed in again.json()["commands"]] == ["groups list"]
    assert not [one for one in sandbox.run("groups", "list", *E, "-o", "json").json() if one["l2"]["present"]]
    sandbox.run("drill", "answer", "redis-flushed")


def test_only_what_was_run_during_a_drill_is_kept(sandbox: Sandbox) -> None:
    sandbox.run("groups", "list", *E)
    begun(sandbox, "redis-flushed")
    sandbox.run("groups", "list", "--help")
    sandbox.run("groups", "find", "BRCA1", *E, code=None)
    sandbox.run("groups", "show", code=2)
    sandbox.run("cache", "rebuild", *E, "--dry-run")
    sandbox.run("runbook", "run", "why-is-a-pert-missing", "--set", "pert=BRCA1", "--yes", *E, code=None)
    drill = sandbox.run("drill", "status", "-o", "json").json()
    assert [(typed["words"], typed["exit_code"] == 2) for typed in drill["commands"]] == [
        ("groups find", False),
        ("groups show", True),
        ("cache rebuild --dry-run", False),
        ("runbook run why-is-a-pert-missing", False),
    ]
    assert "BRCA1" not in str(drill["commands"])
    sandbox.run("drill", "give-up")
    sandbox.run("groups", "list", *E)
    assert len(sandbox.run("drill", "status", "-o", "json").json()["commands"]) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--scenario", "redis-flushd"), "Did you mean 'redis-flushed'?"),
        (("--scenario", "healthy"), "No drill can be made of"),
        (("--scenario", "redis-flushed", "--scenario", "rebuild-running"), "cannot both be true"),
        (("--scenario", "redis-flushed", "--scenario", "vault-sealed"), "keeps everybody from seeing"),
        (("--level", "3", "--scenario", "redis-flushed"), "twice for level 3"),
        (("--level", "7"), "--level"),
        (("--env", "rp006"), "--env"),
    ],
)
def test_what_makes_no_drill_is_wrong_usage(sandbox: Sandbox, words: tuple[str, ...], message: str) -> None:
    assert message in sandbox.run("drill", *words, code=2).err
    assert not store.file().exists()


def test_without_a_drill(sandbox: Sandbox) -> None:
    assert sandbox.run("drill", "status", "-o", "json").json() == {"state": "none"}
    for words in (("hint",), ("answer", "redis-flushed"), ("give-up",)):
        assert "toolkit drill" in sandbox.run("drill", *words, code=1).err
    assert "redis-flushed" in sandbox.run("drill", "answer").out  # the causes there are


def test_a_damaged_file_says_what_to_do(sandbox: Sandbox) -> None:
    store.file().write_text("{", "utf-8")
    assert "Remove that file" in sandbox.run("drill", code=1).err
    sandbox.run("journal", "list")


def test_every_page_fits_80_columns(sandbox: Sandbox) -> None:
    for words in (("--scenario", "half-written-group"), ("hint",), ("status",), ("give-up",)):
        ran = sandbox.run("drill", *words)
        assert max(map(len, ran.out.splitlines())) <= 80, ran.out


def until(condition: Any, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
