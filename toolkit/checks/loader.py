"""Questions about the group auto-loader: is a dry run of it safe, and does configome ask for what production asks for?

What it makes of its list is asked in loader_groups.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from toolkit.cache.loader import sides
from toolkit.cache.loader.sides import Side, Sides, difference, same_address
from toolkit.checks import shared
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Input, Question
from toolkit.figures import when
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.environments.model import Environment
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections

_MOST_DATED: Final = 3  # transformations of which it is looked up since when trunk asks for them
NOT_SET: Final = "configome is not configured: configome.remote is empty"


def look(connections: Connections) -> Sides:
    """Both sides, read once in a run of checks."""
    return shared.once("loader", lambda: sides.look(connections))


def api(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Does configome point to production's phenoservice API?

    Facts: `configured`; `api`, `production_api` (null: not said); `same`.
    """
    return api_finding(look(connections), connections.environment)


def dry_run(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Does configome say that the auto-loader's run is a dry one?

    Facts: `configured`; `dry_run` (null: not said).
    """
    return dry_run_finding(look(connections), connections.environment)


def settings(connections: Connections, inputs: Mapping[str, str], _: Progress) -> Finding:
    """Are configome's transformations, in their order, and its deep-learning model production's?

    Facts: `configured`; `same`; `transformations`, `production` (names, in order); `lacking`, `more` (of configome's
    list against production's, without the one that `new` allows); `reordered`; `model`, `production_model` (null: not
    said).
    """
    return settings_finding(look(connections), connections, inputs["new"])


def unset(found: Sides) -> Finding | None:
    """What is said where nobody configured configome."""
    if found.configured:
        return None
    hint = "Set it under [environments.NAME.configome]; docs/loader.md says how."
    return Finding("", Status.SKIPPED, f"not asked: {NOT_SET}", hint, facts={"configured": False})


def api_finding(found: Sides, environment: Environment) -> Finding:
    """Raises ToolkitError where a side that is needed could not be read."""
    if (skipped := unset(found)) is not None:
        return skipped
    own, wanted = found.configome.known.api, environment.loader.phenoservice_api
    trunk = found.production.settings.api if found.production.settings is not None else None
    if not wanted:
        wanted = found.production.known.api or ""
    facts: dict[str, Any] = {"configured": True, "api": own, "production_api": wanted or None, "same": None}
    by_hand, evidence = (
        _by_hand(found.configome),
        [f"configome: {shown(own or 'not said')} ({_at(found.configome, 'api')})"],
    )
    evidence.append(f"production: {shown(wanted or 'not said')}")
    if not wanted:
        hint = "Set loader.phenoservice_api to production's address."
        text = "which phenoservice API is production's is not known"
        return Finding("", Status.UNKNOWN, text, hint, evidence=tuple(evidence), by_hand=by_hand, facts=facts)
    if trunk and not same_address(wanted, trunk):
        text = f"two APIs are called production's: {shown(wanted)} (loader.phenoservice_api) and {shown(trunk)} (trunk)"
        hint = "Find out which is right, and correct loader.phenoservice_api; until then no dry run is safe."
        return Finding("", Status.UNKNOWN, text, hint, evidence=tuple(evidence), by_hand=by_hand, facts=facts)
    facts["same"] = own is not None and same_address(own, wanted)
    if not facts["same"]:
        text = f"configome points to {shown(own)}" if own else "configome names no phenoservice API"
        hint = f"Point it to {shown(wanted)}: another one knows other groups, and a run there says nothing."
        text += f", production's is {shown(wanted)}"
        return Finding("", Status.FAIL, text, hint, evidence=tuple(evidence), by_hand=by_hand, facts=facts)
    return Finding("", Status.OK, f"configome points to {shown(own or '')}", by_hand=by_hand, facts=facts)


def dry_run_finding(found: Sides, environment: Environment) -> Finding:
    """Raises ToolkitError where configome could not be read."""
    if (skipped := unset(found)) is not None:
        return skipped
    flag, by_hand = found.configome.known.dry_run, _by_hand(found.configome)
    facts = {"configured": True, "dry_run": flag}
    if flag:
        return Finding(
            "", Status.OK, f"dry run is True ({_at(found.configome, 'dry_run')})", by_hand=by_hand, facts=facts
        )
    text = "dry run is not set in configome" if flag is None else "dry run is False in configome"
    hint = f"A run by hand would make groups. Set dry run to True under {environment.configome.key}; trust no default."
    return Finding("", Status.WARN, f"{text} ({found.configome.place})", hint, by_hand=by_hand, facts=facts)


def settings_finding(found: Sides, connections: Connections, new: str = "") -> Finding:
    """Raises ToolkitError where one of the sides could not be read."""
    if (skipped := unset(found)) is not None:
        return skipped
    own, production = found.configome.known, found.production.known
    compared = difference(own, production, new)
    same_model = own.model is not None and own.model == production.model
    facts: dict[str, Any] = {
        "configured": True,
        "same": compared.same and same_model,
        "transformations": [*own.names],
        "production": [*production.names],
        "lacking": [one.name for one in compared.lacking],
        "more": [one.name for one in compared.more],
        "reordered": compared.reordered,
        "model": own.model,
        "production_model": production.model,
    }
    evidence = [f"configome: {place(found.configome)}", f"production: {place(found.production)}"]
    by_hand = (*_by_hand(found.configome), *_by_hand(found.production))
    if facts["same"]:
        text = (
            f"the model and {len(production.names)} transformation{'s' * (len(production.names) != 1)} are production's"
        )
        if new.lstrip("_") in own.names:
            text += (
                f", but for {shown(new)}" if new.lstrip("_") not in production.names else f"; {shown(new)} is not new"
            )
        return Finding("", Status.OK, text, evidence=tuple(evidence), by_hand=by_hand, facts=facts)
    said = []
    if compared.lacking:
        said.append(f"configome lacks {_names(facts['lacking'])}")
    if compared.more:
        said.append(f"configome has {_names(facts['more'])}, production has not")
    if compared.reordered:
        said.append("the transformations stand in another order")
    if not same_model:
        said.append(
            f"the model is {shown(own.model or 'not said')}, production's is {shown(production.model or 'not said')}"
        )
    if not compared.same:
        evidence += [shown(line) for line in compared.lines]
    for one in compared.lacking[:_MOST_DATED]:
        change = sides.since(connections, one.suffix)
        if change is not None:
            words = f"{change.commit[:9]} of {when(change.committed_at)}, {change.author}: {change.subject}"
            evidence.append(shown(f"trunk has {one.name} since {words}"))
    hint = f"Tell {connections.environment.loader.owners}, with the difference."
    return Finding("", Status.FAIL, "; ".join(said), hint, evidence=tuple(evidence), by_hand=by_hand, facts=facts)


def place(side: Side) -> str:
    """Where a side was read, and as of when."""
    commit = f", {side.commit[:9]}" if side.commit else ""
    at = f" of {when(side.changed_at)}" if side.changed_at else ""
    note = f" ({side.note})" if side.note else ""
    return shown(f"{side.place}{commit}{at}{note}")


def _names(names: list[str]) -> str:
    return shown(", ".join(names))


def _at(side: Side, what: str) -> str:
    line = side.settings.lines.get(what) if side.settings is not None else None
    return shown(f"{side.place}, line {line}" if line else side.place)


def _by_hand(side: Side) -> tuple[str, ...]:
    return (side.by_hand,) if side.by_hand else ()


QUESTIONS = (
    Question("loader-api", "Does configome point to production's phenoservice API?", api, limit=45.0),
    Question("loader-dry-run", "Does configome say that a run of the auto-loader is a dry one?", dry_run, limit=45.0),
    Question(
        "loader-settings",
        "Are configome's transformations and model production's?",
        settings,
        (Input("new", "text", "The one transformation that configome may have more: the one that is tried."),),
        limit=45.0,
    ),
)
