"""The question whether the cache manager's image is the same everywhere: asked for, deployed, and really run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit.cache import image_places
from toolkit.cache.image_rows import CRONJOB, LAST_RUN, TRUNK, Row
from toolkit.cache.images import Match, short
from toolkit.checks import shared
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Question
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.image_places import Places
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections


def image(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Do eng-infrastructure, Argo CD, the CronJob and the last run name the same image?

    Facts: `match` of what is deployed with what is asked for (same, drifted, unset; without an answer there are none);
    `wanted`, `running` (the CronJob's) and `ran` (the last run's): images; `since` (RFC 3339, null: not known) trunk
    asks for it; `behind`: how many commits to the manifest the CronJob lacks (null: not known); `sync`, `health`,
    `application` as Argo CD says ("" where it was not asked); `link`, `sync_by_hand`; `places`: each `place`, `match`,
    `images`, `problem`.
    """
    return finding(image_places.look(connections, shared.ONCE))


def finding(places: Places) -> Finding:
    """What the places come to."""
    trunk, cronjob, ran = (places.row(place) for place in (TRUNK, CRONJOB, LAST_RUN))
    evidence = tuple(shown(line(row)) for row in places.rows) + tuple(shown(note) for note in places.notes)
    by_hand = tuple(command for row in places.rows for command in row.by_hand)
    if trunk.match is Match.UNSET:
        facts = _facts(places, "unset")
        return Finding("", Status.SKIPPED, f"not compared: {trunk.problem}", trunk.hint, evidence=evidence, facts=facts)
    broken = next((row for row in (trunk, cronjob) if not row.images), None)
    if broken is not None:
        summary = f"{broken.place}: {broken.problem}"
        return Finding("", Status.UNKNOWN, shown(summary), broken.hint, evidence=evidence, by_hand=by_hand)
    drifted = places.deployed_differs
    facts = _facts(places, "drifted" if drifted else "same")
    application = places.application
    if drifted:
        behind = f", {len(places.between)} commit{'s' * (len(places.between) != 1)} on" if places.between else ""
        sync = f"; Argo CD: {application.sync}" if application else ""
        summary = f"the CronJob has {_names(cronjob)}, trunk asks for {_names(trunk)}{behind}{sync}"
        hint = "Sync it in Argo CD by hand" + (f": {places.sync_by_hand}" if places.sync_by_hand else ".")
        more = (places.sync_by_hand,) if places.sync_by_hand else ()
        return Finding("", Status.FAIL, shown(summary), hint, evidence=evidence, by_hand=(*by_hand, *more), facts=facts)
    summary = f"{_names(cronjob)}, as trunk asks"
    unasked = [row for row in places.rows if row.problem and row.match is Match.UNKNOWN]
    if ran.match is Match.DRIFTED:
        summary = f"the CronJob has {_names(cronjob)}, as trunk asks; the last run had {_names(ran)}"
        return Finding("", Status.WARN, shown(summary), ran.hint, evidence=evidence, by_hand=by_hand, facts=facts)
    if unasked:
        summary += f" ({unasked[0].place} is not known: {unasked[0].problem})"
    return Finding("", Status.OK, shown(summary), evidence=evidence, by_hand=by_hand, facts=facts)


def line(row: Row) -> str:
    """A place on one line."""
    return f"{row.place}: {_names(row) or 'unknown'}{f', {row.detail}' if row.detail else ''}{_problem(row)}"


def _problem(row: Row) -> str:
    return f": {row.problem}" if row.problem else ""


def _names(row: Row) -> str:
    return ", ".join(short(one) for one in row.images)


def _facts(places: Places, match: str) -> dict[str, Any]:
    trunk, application = places.row(TRUNK), places.application
    return {
        "match": match,
        "wanted": [*trunk.images],
        "running": [*places.row(CRONJOB).images],
        "ran": [*places.row(LAST_RUN).images],
        "since": trunk.since.isoformat() if trunk.since else None,
        "behind": None if places.between is None else len(places.between),
        "sync": application.sync if application else "",
        "health": application.health if application else "",
        "application": application.name if application else "",
        "link": places.link,
        "sync_by_hand": places.sync_by_hand,
        "places": [
            {"place": row.place, "match": str(row.match), "images": [*row.images], "problem": row.problem}
            for row in places.rows
        ],
    }


QUESTIONS = (
    Question("image", "Do trunk, Argo CD, the CronJob and the last run name the same image?", image, limit=45.0),
)
