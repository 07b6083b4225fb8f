"""The verdict: the causes that the findings speak for, those they rule out, and what could not be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toolkit.checks.diagnosis.access_causes import barred
from toolkit.checks.diagnosis.cause import Asked, Cause, Judgement, Known, Mend, Word
from toolkit.checks.diagnosis.causes import CAUSES, SETTINGS
from toolkit.checks.diagnosis.group_causes import transformation_missing
from toolkit.checks.finding import Finding

_NOT_MEANWHILE = ("cache.rebuild", "app.restart")


@dataclass(frozen=True, slots=True)
class Judged:
    cause: Cause
    judgement: Judgement

    @property
    def ruled_out_by(self) -> str:
        """Its name, and the check that rules it out."""
        return f"{self.cause.name} ({self.judgement.checks[0]})"

    @property
    def untold_for(self) -> str:
        """Its name, and the check for want of which it could not be told."""
        return f"{self.cause.name} ({self.judgement.checks[0]} has no answer)"


@dataclass(frozen=True)
class Verdict:
    """`causes` are those suspected: first what explains the others. `untold` could not be judged; `lost` is what was
    asked about and is nowhere, in words ("" where it is). `barred` is what else keeps the person out, with whom to ask.
    """

    asked: Asked
    causes: tuple[Judged, ...]
    ruled_out: tuple[Judged, ...]
    untold: tuple[Judged, ...]
    lost: str = ""
    barred: tuple[str, str] = ("", "")

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong, and everything could be told."""
        return not (self.causes or self.untold or self.lost or self.barred[0])

    @property
    def ours(self) -> bool:
        """Whether the first cause is the on-call engineer's to mend."""
        return bool(self.causes) and self.causes[0].cause.ours

    @property
    def ask(self) -> str | None:
        """Whom to ask what: of the first cause that is not ours; where nothing is wrong, the user."""
        for judged in self.causes:
            if judged.cause.ask:
                return judged.cause.ask
        if self.barred[1]:
            return self.barred[1]
        return f"whoever asked: {' '.join(SETTINGS)}" if self.healthy else None

    def mends(self, cause: Cause) -> tuple[Mend, ...]:
        """What mends `cause`; while a rebuild is running, neither another one nor a restart: they would be refused."""
        if any(one.cause.name == "rebuild-running" for one in self.causes):
            return tuple(mend for mend in cause.mends if mend.name not in _NOT_MEANWHILE)
        return cause.mends


def verdict(asked: Asked, findings: Mapping[str, Finding]) -> Verdict:
    """What `findings` (by check) say of each cause. The order of the table is that of explaining."""
    known = Known(findings)
    judged = [Judged(cause, cause.judge(asked, known)) for cause in CAUSES]

    def of(word: Word) -> tuple[Judged, ...]:
        return tuple(one for one in judged if one.judgement.word is word)

    return Verdict(
        asked, of(Word.SUSPECTED), of(Word.RULED_OUT), of(Word.UNTOLD), _lost(asked, known), barred(asked, known)
    )


def _lost(asked: Asked, known: Known) -> str:
    group = known.facts("group-in-cache")
    if not asked.group or group is None or group["known"]:
        return ""
    created = known.facts("built-since-rebuild")
    if created is not None and created.get("event_time"):
        if created["after"]:
            return ""  # that is a cause
        return (
            f"No layer has {group['group']}, though it was created {created['event_time']} and the last good rebuild "
            f"began {created['rebuild_began'] or 'at an unknown time'}: it was left out, or deleted since "
            "(`toolkit journal list`)."
        )
    if transformation_missing(asked, known).word is Word.SUSPECTED:
        return ""  # that is a cause
    near = f" Did they mean {group['near'][0]}?" if group["near"] else ""
    return f"No layer holds a group called {group['group']}: it was never cached, or has another name.{near}"
