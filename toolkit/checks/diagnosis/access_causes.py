"""Judges of what keeps a person out: the app may be well, and they never see it."""

from __future__ import annotations

from typing import Final

from toolkit.checks.diagnosis.cause import NOT_ASKED, Asked, Judgement, Known, ruled_out, suspected, untold

_CHECK: Final = "access"


def not_in_okta_group(asked: Asked, known: Known) -> Judgement:
    if not asked.who:
        return NOT_ASKED
    facts = known.facts(_CHECK)
    if facts is None or facts["allowed"] is None:
        return untold(_CHECK)
    groups = " or ".join(facts["wanted"])
    if facts["verdict"] == "google-group-only":
        alike = facts["alike"][0]
        why = f"{facts['who']} is in the group {alike['name']} of {alike['from']} only; the Okta group is {groups}."
        return suspected(0.95, why, _CHECK)
    if facts["verdict"] == "not-in-group":
        return suspected(0.95, f"{facts['who']} is not in the Okta group {groups}.", _CHECK)
    return ruled_out(_CHECK)


def barred(asked: Asked, known: Known) -> tuple[str, str]:
    """What else keeps the person out, in words, and whom to ask; "" where nothing does."""
    facts = known.facts(_CHECK) if asked.who else None
    if facts is None or facts["verdict"] not in ("not-active", "unknown-user", "denied"):
        return "", ""
    return known.summary(_CHECK), facts["ask"]
