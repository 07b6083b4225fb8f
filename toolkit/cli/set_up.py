"""The conversation of `toolkit config init`: what was found out is told, what was not is asked, and tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.checks.finding import Finding, Status
from toolkit.cli import diagnostics
from toolkit.errors import ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.checks.set_up import SetUp, Wanted

_SIGNS = {Status.OK: "✓", Status.WARN: "!"}


def converse(set_up: SetUp) -> None:
    """Fill `set_up` with what can be found out, and with what somebody answers. "-" leaves a key open."""
    diagnostics.narrate(
        "Each answer is tested at once. Enter takes what stands in brackets, - leaves a key open; Ctrl-C ends it."
    )
    group = ""
    for wanted in set_up.wanted():
        head = "clusters" if wanted.key.startswith("clusters.") else wanted.key.split(".")[1]
        if head != group:
            diagnostics.narrate(f"\n{head}", "bold")
            group = head
        if not _found_out(set_up, wanted):
            _ask(set_up, wanted)


def _found_out(set_up: SetUp, wanted: Wanted) -> bool:
    """Take what was found out, where it is one thing and stands the test."""
    if len(wanted.offers) != 1:
        return False
    [offer] = wanted.offers
    finding = set_up.test(wanted.key, offer.value)
    if finding is not None and not finding.well:
        return False
    set_up.take(wanted.key, offer.value)
    said = f": {finding.summary}" if finding is not None else ""
    diagnostics.narrate(shown(f"✓ {_short(wanted.key)} = {offer.value}  ({offer.source}{said})"), "green")
    return True


def _ask(set_up: SetUp, wanted: Wanted) -> None:
    offers = wanted.offers
    diagnostics.narrate(shown(f"{_short(wanted.key)}: {wanted.meaning}"))
    for number, offer in enumerate(offers, 1):
        diagnostics.narrate(shown(f"  {number}  {offer.value}  ({offer.source})"), "dim")
    while True:
        answer = diagnostics.ask(f"  number or value [{offers[0].value}]:" if offers else "  value [leave open]:")
        if not answer and not offers:
            return
        if answer == "-":
            return
        value = answer or offers[0].value
        if answer.isdecimal() and 1 <= int(answer) <= len(offers):
            value = offers[int(answer) - 1].value
        try:
            finding = set_up.test(wanted.key, value)
            if finding is None or _good_enough(finding):
                set_up.take(wanted.key, value)
                return
        except ToolkitError as error:
            diagnostics.narrate(shown(f"  ✗ {error.message} {error.hint}".rstrip()), "red")


def _good_enough(finding: Finding) -> bool:
    """Show what the test found; where it is not well, somebody has to want the answer all the same."""
    sign = _SIGNS.get(finding.status, "✗")
    diagnostics.narrate(shown(f"  {sign} {finding.summary}"), "green" if finding.well else "red")
    if finding.well:
        return True
    if finding.hint:
        diagnostics.narrate(shown(f"    {finding.hint}"), "dim")
    return diagnostics.ask("  keep it all the same? [y/N]").lower() in ("y", "yes")


def _short(key: str) -> str:
    """Without the environment's name, which stands above."""
    first, name, rest = key.split(".", 2)
    return rest if first == "environments" else f"{name}.{rest}"
