"""The question whether somebody gets in: what the door's policy and Okta say together, and who can change it.

door.py finds the policy; access_words.py says it to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from toolkit.checks import access_words, door
from toolkit.checks.finding import Finding
from toolkit.checks.question import Input, Question
from toolkit.errors import ToolkitError, UsageError
from toolkit.systems.pomerium.policy import Visitor
from toolkit.systems.side_by_side import side_by_side

if TYPE_CHECKING:
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections
    from toolkit.systems.okta import Okta
    from toolkit.systems.okta.people import Group, User
    from toolkit.systems.pomerium import Route
    from toolkit.systems.pomerium.policy import Ruling

_MOST_LOOKED_UP: Final = 10  # groups that a policy names


@dataclass(frozen=True)
class Wanted:
    """A group that would let the person in: `name` as the policy has it, and what Okta has under that name or id."""

    name: str
    groups: tuple[Group, ...] = ()

    @property
    def title(self) -> str:
        """Its name, also where the policy has the id."""
        return next((group.name for group in self.groups), self.name)


@dataclass
class Access:
    """What was found of one person at one door. `problem` is why it is not known whether they get in.

    `groups` are all they are in, `counting` those that count at the door, `alike` groups of another origin that have
    the name of one that would let them in (with the origin's name), `wanted` those that would.
    """

    who: str
    environment: str
    way_in: str
    door: str
    address: str
    okta_owners: str
    pomerium_owners: str
    user: User | None = None
    groups: tuple[Group, ...] = ()
    counting: tuple[Group, ...] = ()
    route: Route | None = None
    ruling: Ruling | None = None
    wanted: tuple[Wanted, ...] = ()
    alike: tuple[tuple[Group, str], ...] = ()
    problem: ToolkitError | None = None
    notes: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    asked_okta: bool = False

    @property
    def verdict(self) -> str:
        """`in`, `google-group-only`, `not-in-group`, `denied`, `not-active`, `unknown-user`, `depends`, `catalyst` or
        `unknown`."""
        public = self.ruling is not None and self.ruling.allowed and self.user is None
        if self.door == "catalyst":
            return "catalyst"
        if self.asked_okta and self.user is None and not public:
            return "unknown-user"
        if self.user is not None and self.user.status != "ACTIVE":
            return "not-active"
        if self.ruling is None or self.problem is not None:
            return "unknown"
        if self.ruling.allowed is None:
            return "depends"
        if self.ruling.allowed:
            return "in"
        if self.alike:
            return "google-group-only"
        return "not-in-group" if self.wanted else "denied"

    @property
    def opening(self) -> tuple[str, ...]:
        """The groups by which they get in."""
        named = set(self.route.policy.groups()) if self.route is not None and self.verdict == "in" else set()
        return tuple(group.name for group in self.counting if {group.name, group.id} & named)

    @property
    def allowed(self) -> bool | None:
        """Whether they get in; None where it is not known."""
        verdict = self.verdict
        return None if verdict in ("depends", "catalyst", "unknown") else verdict == "in"

    def facts(self) -> dict[str, Any]:
        user, ruling = self.user, self.ruling
        return {
            "who": self.who,
            "way_in": self.way_in,
            "verdict": self.verdict,
            "allowed": self.allowed,
            "user": None if user is None else {"id": user.id, "login": user.login, "email": user.email,
                                               "name": user.name, "status": user.status},
            "groups": [{"name": one.name, "id": one.id, "type": one.type, "counts": one in self.counting}
                       for one in self.groups],
            "policy": None if self.route is None else str(self.route.policy),
            "policy_at": None if self.route is None else self.route.where,
            "rule": None if ruling is None or ruling.rule is None else str(ruling.rule),
            "unsure": [] if ruling is None else list(ruling.unsure),
            "wanted": [one.title for one in self.wanted],
            "alike": [{"name": group.name, "from": origin} for group, origin in self.alike],
            "ask": access_words.ask(self),
            "text": access_words.letter(self),
        }  # fmt: skip


def access(connections: Connections, given: Mapping[str, str], _: Progress) -> Finding:
    """Does somebody get in, and if not: why, and who can change it?

    Facts: `who`; `way_in`; `verdict` (in, google-group-only, not-in-group, denied, not-active, unknown-user, depends,
    catalyst, unknown); `allowed` (null: not known); `user` (`id`, `login`, `email`, `name`, `status`; null: Okta has
    none); `groups` (each `name`, `id`, `type`, `counts`); `policy`, `policy_at`, `rule` that decides (null: none names
    them), `unsure` criteria; `wanted` groups any of which would let them in; `alike` (`name`, `from`): groups of such a
    name that do not count; `ask` whom, `text` to send them ("" where there is nothing to ask for).
    """
    return finding(look(connections, given["who"]))


def finding(seen: Access) -> Finding:
    told = access_words.told(seen)
    return Finding(
        "access",
        told.status,
        told.summary,
        told.hint,
        evidence=access_words.evidence(seen),
        by_hand=tuple(seen.by_hand),
        facts=seen.facts(),
    )


def look(connections: Connections, who: str) -> Access:
    """Ask the door and Okta, side by side. What cannot be had is the answer's `problem`; raises UsageError alone."""
    who = who.strip()
    if not who or any(letter.isspace() or not letter.isprintable() for letter in who):
        raise UsageError(f"{who!r} is nobody's address.", hint="Who: the e-mail address they sign in with.")
    environment = connections.environment
    way = door.way_in(connections)
    seen = Access(
        who, environment.name, way, door.kind(way), door.address(connections),
        environment.okta.owners, environment.pomerium.owners,
    )  # fmt: skip
    problems: dict[str, ToolkitError] = {}

    def ask(name: str) -> None:
        try:
            if name == "door":
                seen.route = door.route(connections)
            else:
                _ask_okta(connections, seen)
        except ToolkitError as error:
            problems[name] = error

    # Behind Catalyst, or behind nobody knows what, Okta is asked for what it can tell, where it is configured.
    configured = seen.door == "pomerium" or environment.okta.address
    names = (["door"] if seen.door == "pomerium" else []) + (["okta"] if configured else [])
    for _ in side_by_side(names, ask, workers=2):
        pass
    for error in problems.values():
        seen.by_hand += error.by_hand
    seen.by_hand = list(dict.fromkeys((*(seen.route.by_hand if seen.route else ()), *seen.by_hand)))
    seen.problem = problems.get("door") or (problems.get("okta") if seen.door == "pomerium" else None)
    if "okta" in problems and seen.problem is not problems["okta"]:
        seen.notes.append(f"Okta: {problems['okta'].message}")
    if seen.route is not None and seen.user is None and seen.asked_okta:
        nobody = seen.route.policy.judge(Visitor("", "", frozenset()))
        public = (
            nobody.allowed and nobody.rule is not None and any(one.name == "accept" for one in nobody.rule.criteria)
        )
        seen.ruling = nobody if public else None
    elif seen.route is not None and seen.user is not None and "okta" not in problems:
        _judge(connections.okta, environment.okta.group_types, seen, seen.route, seen.user)
    return seen


def _ask_okta(connections: Connections, seen: Access) -> None:
    from urllib.parse import quote

    okta = connections.okta
    seen.user = okta.user(seen.who)
    seen.asked_okta = True
    if seen.user is None:
        seen.by_hand.append(okta.by_hand(f"/api/v1/users/{quote(seen.who, safe='')}"))
    else:
        seen.by_hand.append(okta.by_hand(f"/api/v1/users/{seen.user.id}/groups"))
        seen.groups = tuple(okta.groups_of(seen.user))
        types = connections.environment.okta.group_types
        seen.counting = tuple(group for group in seen.groups if group.type in types)


def _judge(okta: Okta, types: tuple[str, ...], seen: Access, route: Route, user: User) -> None:
    """What the policy says, and which groups would change it."""
    names = frozenset(text for group in seen.counting for text in (group.name, group.id))
    visitor = Visitor(user.id, user.email, names)
    seen.ruling = route.policy.judge(visitor)
    if seen.ruling.allowed is not False:
        return
    would = [name for name in route.policy.groups() if route.policy.judge(visitor.also_in(name)).allowed is not False]
    try:
        seen.wanted = tuple(
            Wanted(name, tuple(one for one in okta.groups_called(name) if one.type in types))
            for name in would[:_MOST_LOOKED_UP]
        )
    except ToolkitError as error:
        seen.wanted = tuple(Wanted(name) for name in would)
        seen.notes.append(f"The policy's groups could not be looked up: {error.message}")
    titles = {one.title for one in seen.wanted} | set(would)
    alike = [group for group in seen.groups if group not in seen.counting and {group.name, group.id} & titles]
    seen.alike = tuple((group, _origin(okta, group)) for group in alike)
    # Who is in a group of that name was meant to be in that one, not in the others that would open the door too.
    meant = {text for group in alike for text in (group.name, group.id)}
    seen.wanted = tuple(one for one in seen.wanted if {one.name, one.title} & meant) or seen.wanted


def _origin(okta: Okta, group: Group) -> str:
    """What a group was imported from, as far as the token may know."""
    try:
        return okta.app_label(group.source) if group.source else "an app"
    except ToolkitError:
        return "an app (Google Workspace, most likely)"


QUESTIONS = (
    Question(
        "access",
        "Does somebody get in?",
        access,
        (Input("who", "who", "the e-mail address they sign in with", required=True),),
        limit=30.0,
    ),
)
