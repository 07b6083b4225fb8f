"""Every shipped runbook, walked to its end on the sandbox with the real checks, and with its actions through the gate;
killed after each of its steps, it goes on with every step once."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from conftest import Sandbox
from walking_fixtures import Killer, Walker, walk_on

from toolkit.actions.journal import Journal
from toolkit.sandbox import client
from toolkit.walkthrough.case import Case, Result
from toolkit.walkthrough.library import library
from toolkit.walkthrough.record import Record
from toolkit.walkthrough.walk import begin

WELL, WRONG, UNKNOWN = Result.WELL, Result.WRONG, Result.UNKNOWN
NEWEST, REPORTED = "(the newest group)", "(what the user reported)"


@dataclass(frozen=True)
class Way:
    """A way through a runbook: the steps that come of it (`runbook/step` in another one), how it ends, and why it is
    taken: the world, what is answered, and the branches that are picked, by step."""

    steps: tuple[str, ...]
    result: Result
    scenario: str = "healthy"
    given: Mapping[str, str] = field(default_factory=dict)
    picks: Mapping[str, str] = field(default_factory=dict)
    rebuilds: int = 0


def way(steps: str, result: Result, scenario: str = "healthy", *, rebuilds: int = 0, **more: str) -> Way:
    """`more`: an input by its name, or a pick as `step__` with _ for - (`what_do_they_see__="503"`)."""
    picks = {name[:-2].replace("_", "-"): said for name, said in more.items() if name.endswith("__")}
    given = {name: value for name, value in more.items() if not name.endswith("__")}
    return Way(tuple(steps.split()), result, scenario, given, picks, rebuilds)


FIRST_DAY = (
    "start-the-sandbox ask-the-doctor see-the-groups look-for-a-pert break-something walk-a-runbook put-it-right"
    " solve-a-case-of-your-own"
)
HANDED = "how-did-it-end read-its-last-words what-changed hand-it-over"
CONNECT = "is-vault-there-for-you may-you-read-the-token is-the-address-right does-redis-answer look-into-it"
SEALED = "is-vault-there-for-you vault-does-not-answer"
RELOAD = "is-none-running-already rebuild is-it-right-now restart-the-app"
LOADER = (
    "is-it-productions-phenoservice is-dry-run-true are-the-settings-productions see-what-there-is-now run-it"
    " read-what-it-would-make"
)


def within(runbook: str, steps: str) -> str:
    return " ".join(f"{runbook}/{step}" for step in steps.split())


# The first of each is its main way.
WAYS = {
    "connect-to-redis": (
        way(CONNECT, WELL),
        way(
            f"{CONNECT.removesuffix('look-into-it')} redis-does-not-answer",
            WRONG,
            "token-rotated",
            redis_does_not_answer__="Somebody else",
        ),
        way("is-vault-there-for-you vault-does-not-answer", WRONG, "vault-sealed", vault_does_not_answer__="those who"),
    ),
    "download-group-data": (
        way("is-it-there see-how-large-it-is download-it look-into-it", WELL, group=NEWEST),
        way("is-it-there which-are-there", WRONG, group="rp006_1999w01"),
    ),
    "find-the-logs": (
        way("which-logs the-cache-managers read-it", WELL),
        way("which-logs everything-at-once read-it", WELL, "rebuild-failed", which_logs__="do not know"),
    ),
    "first-day-on-call": (way(FIRST_DAY, WELL),),
    "is-it-the-right-image": (
        way("compare-the-four-places", WELL),
        way(
            "compare-the-four-places is-the-commit-meant-to-be-out hand-it-over",
            WRONG,
            "image-drift",
            is_the_commit_meant_to_be_out__="not",
        ),
    ),
    "is-the-side-panel-up-to-date": (
        way("are-the-go-terms-of-the-last-monday-night how-old-are-the-benchmarks", UNKNOWN),
    ),
    "loader-dry-run": (
        way(f"{LOADER} was-nothing-made", WELL, transformation="_new"),
        way(
            "is-it-productions-phenoservice is-dry-run-true are-the-settings-productions do-not-run-it",
            WRONG,
            "transformation-missing",
            transformation="_new",
        ),
        way(
            f"{LOADER} was-nothing-made something-was-made", WELL, transformation="_new", was_nothing_made__="a new one"
        ),
    ),
    "rebuild-failed": (
        way(
            "how-did-it-end read-its-last-words is-the-way-free run-it-again are-the-groups-whole",
            WELL,
            "rebuild-failed",
            rebuilds=1,
        ),
        way(
            "how-did-it-end read-its-last-words what-changed hand-it-over",
            WRONG,
            "rebuild-failed",
            read_its_last_words__="An error",
        ),
        way("how-did-it-end are-the-groups-whole", WELL),
    ),
    "reload-the-groups": (
        way(f"is-this-the-right-cluster {RELOAD}", WELL, rebuilds=1),
        way("is-this-the-right-cluster mend-the-place", WRONG, "wrong-cluster", mend_the_place__="cannot"),
    ),
    "restart-the-app-after-a-rebuild": (
        way(
            "is-no-rebuild-going-on did-the-last-rebuild-end-well will-new-pods-find-the-groups which-pods-are-stale",
            WELL,
        ),
        way(
            "is-no-rebuild-going-on did-the-last-rebuild-end-well will-new-pods-find-the-groups which-pods-are-stale"
            " restart-them are-they-all-new",
            WELL,
            "l1-stale",
        ),
        way(
            "is-no-rebuild-going-on did-the-last-rebuild-end-well " + within("rebuild-failed", HANDED),
            WRONG,
            "rebuild-failed",
            read_its_last_words__="An error",
        ),
    ),
    "verify-a-rebuild": (
        way("has-it-ended did-it-succeed are-the-groups-whole does-redis-answer", WELL),
        way(
            "has-it-ended did-it-succeed " + within("rebuild-failed", HANDED),
            WRONG,
            "rebuild-failed",
            read_its_last_words__="An error",
        ),
    ),
    "why-cant-i-get-in": (
        way("what-do-they-see ask-for-the-okta-group are-they-in-now", WRONG, who="tom.brandt@partner.example"),
        way("what-do-they-see is-it-the-right-account", WRONG, who="nobody@partner.example"),
        way(
            "what-do-they-see which-browser does-the-app-answer read-the-apps-log",
            WELL,
            who="ines.moreau@partner.example",
            what_do_they_see__="does not load",
            which_browser__="the same",
        ),
    ),
    "why-does-the-map-look-funny": (
        way("are-the-vectors-sound is-the-group-whole what-changed look-at-it-yourself", WELL, group=NEWEST),
        way("are-the-vectors-sound the-vectors-are-spoilt", WRONG, "vectors-denormalized", group=NEWEST),
        way(
            "are-the-vectors-sound is-the-group-whole " + within("connect-to-redis", SEALED),
            WRONG,
            "vault-sealed",
            group=NEWEST,
            vault_does_not_answer__="those who",
        ),
    ),
    "why-is-a-group-missing": (
        way("is-it-in-the-cache does-the-app-serve-an-older-one", WELL, group=NEWEST),
        way(
            "is-it-in-the-cache is-a-rebuild-running how-did-the-last-rebuild-end was-it-built was-it-pushed-out",
            WRONG,
            "group-evicted",
            group=REPORTED,
        ),
        way(
            "is-it-in-the-cache is-a-rebuild-running how-did-the-last-rebuild-end was-it-built it-was-never-built",
            WRONG,
            "transformation-missing",
            group=REPORTED,
        ),
        way(
            "is-it-in-the-cache is-a-rebuild-running how-did-the-last-rebuild-end "
            + within("reload-the-groups", f"is-this-the-right-cluster {RELOAD}"),
            WELL,
            "redis-flushed",
            group=NEWEST,
            rebuilds=1,
        ),
    ),
    "why-is-a-pert-missing": (
        way("is-it-in-the-cache the-users-settings", WELL, pert="BRCA1"),
        way(
            "is-it-in-the-cache is-a-rebuild-running is-the-cache-whole is-it-spelled-otherwise was-it-ever-screened",
            WRONG,
            "never-screened",
            pert=REPORTED,
            is_it_spelled_otherwise__="Not found",
        ),
    ),
    "work-on-biohive": (
        way("can-you-get-in by-hand", UNKNOWN),  # the sandbox has none; test_biohive_files.py walks it with one
    ),
}
EACH = [
    pytest.param(name, taken, id=f"{name}-{number}") for name, ways in WAYS.items() for number, taken in enumerate(ways)
]


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    killer = Killer()
    yield killer
    killer.close()


def test_every_shipped_runbook_is_walked() -> None:
    assert sorted(WAYS) == list(library().files())


@pytest.mark.parametrize(("name", "taken"), EACH)
def test_a_walk_comes_to_its_end(name: str, taken: Way, sandbox: Sandbox) -> None:
    record, given = Record(), answers(sandbox, taken)
    person = Walker(picks=taken.picks)
    before = rebuilds()
    case = walk_on(record, begin(record, library().runbook(name), library()), given, person)
    assert person.problems == []
    assert went(record, case) == list(taken.steps)
    assert case.result is taken.result
    assert rebuilds() - before == taken.rebuilds
    for commands in person.shown:
        for line in commands.splitlines():
            typed = shlex.split(line, comments=True)
            if typed[:1] == ["toolkit"]:
                understood(typed[1 : typed.index("|") if "|" in typed else None])


@pytest.mark.parametrize("name", list(WAYS))
def test_killed_after_any_step_it_goes_on_with_every_step_once(name: str, sandbox: Sandbox, killer: Killer) -> None:
    record, taken = Record(), WAYS[name][0]
    given = answers(sandbox, taken)
    before = rebuilds()
    case = begin(record, library().runbook(name), library())
    killed = killer.kill_after_each_step(case.id, given, taken.picks)
    case = record.case(case.id)
    assert went(record, case) == list(taken.steps)
    assert case.result is taken.result
    assert [kind for kind, _ in killed].count("moved") == len(taken.steps)
    acted = [event.content["action"] for event in record.events(case.id) if event.kind == "acted"]
    assert [kind for kind, _ in killed].count("acted") == len(acted) == len(set(acted))
    assert rebuilds() - before == taken.rebuilds
    assert {(step.visits, step.state) for step in record.steps(case.id)} == {(1, "done")}
    closed = [event.step for event in record.events(case.id) if event.kind == "closed"]
    assert closed == [step.rpartition("/")[2] for step in taken.steps]


def answers(sandbox: Sandbox, taken: Way) -> dict[str, str]:
    """The world is brought into its state; the names in it that were meant."""
    if taken.scenario == "healthy":
        symptom: Mapping[str, str] = {}
    else:
        symptom = client.apply_scenario([taken.scenario])["symptoms"][0]
    given = {}
    for name, value in taken.given.items():
        if value == REPORTED:
            given[name] = symptom[name]
        elif value == NEWEST:
            groups = sandbox.run("bucket", "ls", "--env", "sandbox", "-o", "json").json()
            given[name] = max(one["path"] for one in groups).rstrip("/")
        else:
            given[name] = value
    return given


def went(record: Record, case: Case) -> list[str]:
    """The steps in the order in which they were opened."""
    events = [event for event in record.events(case.id) if event.kind == "opened"]
    return [event.step if event.runbook == case.runbook else f"{event.runbook}/{event.step}" for event in events]


def rebuilds() -> int:
    return sum(operation.action == "cache.rebuild" for operation in Journal().operations())


def understood(arguments: list[str]) -> None:
    """The command line takes these arguments; nothing is run."""
    from toolkit.cli import root

    command, name, context = root.build(lambda _: None), "toolkit", None
    while True:
        context = command.make_context(name, list(arguments), parent=context)
        left = [*getattr(context, "_protected_args", ()), *context.args]
        if not hasattr(command, "resolve_command") or not left:
            return
        name, command, arguments = command.resolve_command(context, left)
