"""What was found of somebody's access, said to people: the verdict, the evidence, whom to ask, and the text to send."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from toolkit.checks.finding import Status
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.checks.access import Access
    from toolkit.systems.okta.people import Group

CATALYST_OWNERS: Final = "those who run Catalyst"
_MOST_SHOWN: Final = 12

# What a status of Okta's means for somebody who wants in, and what comes next.
_STATUSES: Final = {
    "SUSPENDED": ("is suspended in Okta", "{owners} suspended them, or a rule did: only they can undo it"),
    "DEPROVISIONED": ("is deactivated in Okta", "they left, or were taken for it; {owners} can activate them again"),
    "LOCKED_OUT": ("is locked out of Okta", "too many wrong passwords: it opens by itself, or {owners} unlock it"),
    "STAGED": ("has an Okta account that was never activated", "{owners} have to activate it"),
    "PROVISIONED": ("never finished activating their Okta account", "the activation mail is theirs to follow"),
    "PASSWORD_EXPIRED": ("has an expired password in Okta", "they set a new one themselves, when they sign in"),
    "RECOVERY": ("is recovering their Okta account", "the recovery mail is theirs to follow"),
}
_THEIR_OWN: Final = frozenset({"PROVISIONED", "PASSWORD_EXPIRED", "RECOVERY"})


@dataclass(frozen=True, slots=True)
class Told:
    status: Status
    summary: str
    hint: str = ""


def told(seen: Access) -> Told:
    """The verdict in a line, with the rule that decides, and the next step."""
    who, wanted = seen.who, " or ".join(shown(one.title) for one in seen.wanted)
    ruling = seen.ruling
    rule = shown(str(ruling.rule)) if ruling is not None and ruling.rule is not None else ""
    match seen.verdict:
        case "in":
            by = f"by the Okta group {', '.join(map(shown, seen.opening))}" if seen.opening else "by the rule"
            return Told(
                Status.OK,
                f"{who} gets in {by}: {rule}",
                "If they do not: an old session knows old groups; they sign out, and in again, in a private window.",
            )
        case "google-group-only":
            group, origin = seen.alike[0]
            return Told(
                Status.FAIL,
                f"{who} is only in the group {shown(group.name)} of {shown(origin)}, which does not count; needed: the "
                f"Okta group {wanted}",
                f"{_send(seen.okta_owners, seen)}; a Google group of the same name opens nothing.",
            )
        case "not-in-group":
            missing = [one.name for one in seen.wanted if not one.groups]
            lost = f" Okta has no such group called {', '.join(map(shown, missing))}." if missing else ""
            return Told(
                Status.FAIL,
                f"{who} is in no Okta group that may get in; needed: {wanted}",
                f"{_send(seen.okta_owners, seen)}.{lost if not seen.notes else ''}",
            )
        case "denied":
            why = f"by a rule: {rule}" if rule else f"no rule names them: {shown(str(_policy(seen)))}"
            return Told(Status.FAIL, f"{who} is kept out, {why}", f"Ask {seen.pomerium_owners}.")
        case "not-active":
            status = seen.user.status if seen.user else ""
            what, then = _STATUSES.get(status, (f"has the status {shown(status)} in Okta", "ask {owners}"))
            besides = f"; and is in no Okta group that may get in: {wanted}" if wanted else ""
            then = then.format(owners=seen.okta_owners)
            return Told(Status.FAIL, f"{who} {what}{besides}", f"{then[:1].upper()}{then[1:]}.")
        case "unknown-user":
            return Told(
                Status.FAIL,
                f"Okta knows nobody called {who}",
                "Compare the address letter by letter with what they sign in with; partners may have another one.",
            )
        case "depends":
            unsure = ", ".join(shown(one) for one in ruling.unsure) if ruling is not None else ""
            return Told(
                Status.UNKNOWN,
                f"whether {who} gets in depends on what cannot be told from here: {unsure}",
                f"Ask {seen.pomerium_owners}: Pomerium's log names the rule that decided.",
            )
        case "catalyst":
            return Told(
                Status.UNKNOWN,
                f"whether {who} gets in is Catalyst's to say: {seen.environment} is not behind Pomerium",
                f"{_send(CATALYST_OWNERS, seen)}.",
            )
    if seen.problem is not None:
        return Told(Status.UNKNOWN, f"whether {who} gets in is not known: {seen.problem.message}", seen.problem.hint)
    way = f"app.way_in is {shown(seen.way_in)!r}" if seen.way_in else "app.way_in is empty"
    return Told(
        Status.UNKNOWN,
        f"by which door people come in to {seen.environment} is not known: {way}",
        "Set app.way_in to Pomerium or Catalyst.",
    )


def evidence(seen: Access) -> tuple[str, ...]:
    lines = [f"way in: {shown(seen.way_in)}" if seen.way_in else "way in: not configured"]
    if seen.route is not None:
        lines += [f"policy: {shown(str(seen.route.policy))}", f"written in: {shown(seen.route.where)}"]
    if seen.user is not None:
        user = seen.user
        mail = f", e-mail {shown(user.email)}" if user.email != user.login else ""
        lines.append(f"Okta: {shown(user.name)}, {shown(user.login)}{mail}, {shown(user.status)}, {user.id}")
        for label, groups in (
            ("Okta groups", seen.counting),
            ("groups that do not count", tuple(one for one in seen.groups if one not in seen.counting)),
        ):
            if groups:
                more = f" and {len(groups) - _MOST_SHOWN} more" if len(groups) > _MOST_SHOWN else ""
                lines.append(f"{label}: {', '.join(map(_named, groups[:_MOST_SHOWN]))}{more}")
        if not seen.groups and seen.problem is None:
            lines.append("Okta groups: none")
    return (*lines, *(shown(note) for note in seen.notes))


def _send(whom: str, seen: Access) -> str:
    return f"Send {whom} what `toolkit access check {shlex.quote(seen.who)} --env {seen.environment} --text` prints"


def _named(group: Group) -> str:
    return shown(group.name) + (f" ({group.type})" if group.type != "OKTA_GROUP" else "")


def ask(seen: Access) -> str:
    """Whom to ask; "" where nobody has to be."""
    match seen.verdict:
        case "google-group-only" | "not-in-group":
            return seen.okta_owners
        case "not-active":
            return "themselves" if seen.user and seen.user.status in _THEIR_OWN else seen.okta_owners
        case "unknown-user":
            return f"whoever asked: which address do they sign in with? Then {seen.okta_owners}"
        case "denied" | "depends":
            return seen.pomerium_owners
        case "catalyst":
            return CATALYST_OWNERS
    return ""


def letter(seen: Access) -> str:
    """A text ready to send to whom `ask` names; "" where there is nothing to ask for."""
    who, address = seen.who, seen.address
    name = f"{shown(seen.user.name)} ({who})" if seen.user is not None and seen.user.name else who
    account = "" if seen.user is None else f"Okta user: {shown(seen.user.login)}, {seen.user.id}, {seen.user.status}.\n"
    policy = "" if seen.route is None else f"Policy: {shown(str(_policy(seen)))}\n({shown(seen.route.where)})\n"
    match seen.verdict:
        case "google-group-only" | "not-in-group":
            groups = " or ".join(
                shown(one.title) + (f" ({one.groups[0].id})" if one.groups else "") for one in seen.wanted
            )
            alike = "".join(
                f"They are in the group {shown(group.name)} of {shown(origin)}; that does not count there.\n"
                for group, origin in seen.alike
            )
            request = f"Please add {name} to the Okta group {groups}.\n"
            return f"{request}They should get in to {address} and are refused.\n{alike}{account}{policy}".rstrip()
        case "not-active":
            if seen.user is None or seen.user.status in _THEIR_OWN:
                return ""
            question = f"{name} should get in to {address}, and is {seen.user.status} in Okta. Is that meant?"
            return f"{question}\n{account}".rstrip()
        case "denied" | "depends":
            return f"{name} should get in to {address} and is refused. Which rule decides, and is that meant?\n" + (
                f"{account}{policy}".rstrip()
            )
        case "catalyst":
            return f"{name} cannot get in to {address}. Which right is missing, or is none?\n{account}".rstrip()
    return ""


def _policy(seen: Access) -> str:
    return "" if seen.route is None else str(seen.route.policy)
