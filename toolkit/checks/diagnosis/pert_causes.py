"""Judges of causes that lie in the question: the perturbation's name, its concentration, the group that is chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from toolkit.checks.diagnosis.cause import NOT_ASKED, Asked, Judgement, Known, ruled_out, suspected, untold

_CHECK: Final = "pert-in-cache"
_NEAR: Final = 74.0  # one letter of four; of shorter names less is meant
_BY_NUMBER: Final = re.compile(r"\d{4,}\s*$")


def misspelled(asked: Asked, known: Known) -> Judgement:
    facts = _facts(asked, known)
    if isinstance(facts, Judgement):
        return facts
    if facts["groups"] or facts["at"]:
        return ruled_out(_CHECK)
    if facts["alike"]:
        return suspected(0.9, f"The cache has it as {', '.join(facts['alike'][:3])}.", _CHECK)
    near = meant(facts)
    if near is None:
        return ruled_out(_CHECK)
    sure = 0.9 if near["why"] == "two letters changed places" else 0.75
    return suspected(sure, f"No group has {facts['pert']}; {near['pert']} is there: {near['why']}.", _CHECK)


def never_screened(asked: Asked, known: Known) -> Judgement:
    facts = _facts(asked, known)
    if isinstance(facts, Judgement):
        return facts
    if facts["groups"] or facts["at"] or facts["alike"] or meant(facts) is not None:
        return ruled_out(_CHECK)
    sure = 0.5 if facts["unread"] or facts["layers"] else 0.85
    return suspected(sure, f"No frame of any group has {facts['pert']}, nor a name close to it.", _CHECK)


def wrong_concentration(asked: Asked, known: Known) -> Judgement:
    facts = _facts(asked, known)
    if isinstance(facts, Judgement):
        return facts
    if facts["groups"] or not facts["at"]:
        return ruled_out(_CHECK)
    return suspected(0.95, f"{facts['pert']}: {facts['at'][0]}.", _CHECK)


def in_another_group(asked: Asked, known: Known) -> Judgement:
    facts = _facts(asked, known)
    if isinstance(facts, Judgement):
        return facts
    groups, absent, group = facts["groups"], facts["absent"], facts["group"]
    if not groups or not absent or facts["in_group"]:
        return ruled_out(_CHECK)
    if group is not None:
        if facts["group_unread"] or _half(known, group):
            return ruled_out("groups-complete")  # not all of the group is there to look into
        why = f"{group} does not have {facts['pert']}; {', '.join(groups)} {'has' if len(groups) == 1 else 'have'} it."
        return suspected(0.95, why, _CHECK)
    newest = max((*groups, *absent))  # the default is not known; names carry the week they were built in
    if newest in absent and not _half(known, newest):
        return suspected(0.6, f"{newest}, probably the default, does not have it; {', '.join(groups)} do.", _CHECK)
    return untold("redis")


def _facts(asked: Asked, known: Known) -> Mapping[str, Any] | Judgement:
    if not asked.pert:
        return NOT_ASKED
    return known.facts(_CHECK) or untold(_CHECK)


def meant(facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The name that was probably meant. Numbers of compounds are all alike: of those only swapped digits count."""
    for near in facts["near"]:
        swapped = near["why"] == "two letters changed places"
        by_number = _BY_NUMBER.search(facts["pert"])
        if swapped or (not by_number and near["score"] >= _NEAR):
            found: Mapping[str, Any] = near
            return found
    return None


def _half(known: Known, group: str) -> bool:
    groups = known.facts("groups-complete")
    return groups is not None and group in (groups["l3_short"] or {})
