"""A route's policy in Pomerium Policy Language, and what it says of one visitor.

Read as Pomerium reads it: a document is a rule or a list of rules; a rule's operators are alternatives; `not` is none
of its criteria, `nor` not all of them; one deny goes before every allow; nobody is let in whom no allow names. Criteria
that are about the request (its time, address, device, path …) cannot be told from here, and the ruling says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from toolkit.errors import Failed

Action = Literal["allow", "deny"]
OPERATORS: Final = ("and", "or", "not", "nor")
_GROUP_CLAIMS: Final = ("claim/groups", "claims/groups")
_NEVER_OF_A_PERSON: Final = frozenset({"cors_preflight", "invalid_client_certificate", "pomerium_routes"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who comes to the door. `groups` are the names and ids of the groups that count there."""

    user_id: str
    email: str
    groups: frozenset[str]

    def also_in(self, *groups: str) -> Visitor:
        return dataclasses.replace(self, groups=self.groups | set(groups))


@dataclass(frozen=True, slots=True)
class Criterion:
    """`name` as it stands there (`groups`, `claim/groups`, `email`), with its matcher."""

    name: str
    data: Any

    @property
    def about_groups(self) -> bool:
        return self.name == "groups" or self.name in _GROUP_CLAIMS

    def __str__(self) -> str:
        if isinstance(self.data, Mapping):
            return f"{self.name} " + ", ".join(f"{matcher} {value}" for matcher, value in self.data.items())
        return self.name if self.data in (True, None) else f"{self.name} {self.data}"


@dataclass(frozen=True, slots=True)
class Rule:
    action: Action
    operator: str
    criteria: tuple[Criterion, ...]

    def __str__(self) -> str:
        joined = {"and": " and ", "or": " or "}.get(self.operator, ", ")
        told = joined.join(str(one) for one in self.criteria)
        return f"{self.action} {told}" if len(joined) > 2 else f"{self.action} {self.operator} ({told})"


@dataclass(frozen=True, slots=True)
class Ruling:
    """`allowed`: None where it depends on `unsure`, criteria about the request. `rule` is the one that decides; None
    where no rule names the visitor."""

    allowed: bool | None
    rule: Rule | None = None
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    rules: tuple[Rule, ...]

    def judge(self, visitor: Visitor) -> Ruling:
        unsure: list[str] = []
        told = [(rule, _holds(rule, visitor, unsure)) for rule in self.rules]

        def first(action: Action, answer: bool | None) -> Rule | None:
            return next((rule for rule, holds in told if rule.action == action and holds is answer), None)

        denying, allowing, doubt = first("deny", True), first("allow", True), first("deny", None)
        if denying is not None:
            return Ruling(False, denying)
        if allowing is not None:
            return Ruling(True, allowing) if doubt is None else Ruling(None, doubt, tuple(unsure))
        maybe = first("allow", None)
        return Ruling(False) if maybe is None else Ruling(None, maybe, tuple(unsure))

    def groups(self) -> tuple[str, ...]:
        """Names and ids of groups that the allowing rules name."""
        found = [
            str(value)
            for rule in self.rules
            for one in rule.criteria
            if rule.action == "allow" and one.about_groups
            for value in (one.data.values() if isinstance(one.data, Mapping) else [one.data])
        ]
        return tuple(dict.fromkeys(found))

    def __str__(self) -> str:
        return "; ".join(str(rule) for rule in self.rules)


def read_policy(document: Any) -> tuple[Rule, ...]:
    """The rules of a PPL document (YAML or JSON, read). Raises Failed for what Pomerium would not take."""
    documents = document if isinstance(document, list) else [document]
    rules = []
    for one in documents:
        if not isinstance(one, Mapping):
            raise _unreadable("a rule has to be a table with allow or deny")
        for action, body in one.items():
            if action not in ("allow", "deny"):
                raise _unreadable(f"{action!r} is no action: allow or deny is")
            if not isinstance(body, Mapping):
                raise _unreadable(f"below {action} an operator is missing: {', '.join(OPERATORS)}")
            for operator, criteria in body.items():
                if operator not in OPERATORS or not isinstance(criteria, list):
                    raise _unreadable(
                        f"below {action} stands {operator!r}: it has to be a list of {'/'.join(OPERATORS)}"
                    )
                read = tuple(found for item in criteria for found in _criteria(item))
                if read:
                    rules.append(Rule(action, str(operator), read))
    return tuple(rules)


def allowing(kind: str, values: Iterable[tuple[str, Any]]) -> tuple[Rule, ...]:
    """The rule that older settings (`allowed_users`, `allowed_groups` …) mean: one of these is enough."""
    criteria = tuple(Criterion(name, data) for name, data in values)
    return (Rule("allow", kind, criteria),) if criteria else ()


def _criteria(item: Any) -> list[Criterion]:
    if not isinstance(item, Mapping):
        raise _unreadable(f"{item!r} is no criterion: write it as `email: {{is: …}}`")
    return [Criterion(str(name), data) for name, data in item.items()]


def _holds(rule: Rule, visitor: Visitor, unsure: list[str]) -> bool | None:
    """Whether the rule's condition is true of the visitor; None: not known. What it depends on is added to `unsure`."""
    answers = []
    for one in rule.criteria:
        answer = _met(one, visitor)
        if answer is None:
            unsure.append(str(one))
        answers.append(answer)
    if rule.operator in ("not", "nor"):
        answers = [None if answer is None else not answer for answer in answers]
    settles = rule.operator in ("or", "nor")  # one that is true is enough; else one that is false
    if settles in answers:
        return settles
    return None if None in answers else not settles


def _met(one: Criterion, visitor: Visitor) -> bool | None:
    if one.about_groups:
        return _list_matches(one.data, visitor.groups)
    match one.name:
        case "accept":
            return True
        case "reject":
            return False
        case "authenticated_user":
            return True
        case "email":
            return _matches(one.data, visitor.email)
        case "domain":
            return _matches(one.data, visitor.email.rpartition("@")[2])
        case "user":
            return _matches(one.data, visitor.user_id)
        case "claim/email" | "claims/email":
            return _list_matches(one.data, {visitor.email})
    return False if one.name in _NEVER_OF_A_PERSON else None


def _matches(matcher: Any, value: str) -> bool | None:
    """Pomerium's string matcher; a bare value means `is`. All that it names have to be true."""
    return _all(
        matcher if isinstance(matcher, Mapping) else {"is": matcher},
        {
            "is": lambda wanted: value == wanted,
            "not": lambda wanted: value != wanted,
            "in": lambda wanted: value in list(wanted),
            "contains": lambda wanted: wanted in value,
            "starts_with": lambda wanted: value.startswith(wanted),
            "ends_with": lambda wanted: value.endswith(wanted),
        },
    )


def _list_matches(matcher: Any, values: Iterable[str]) -> bool | None:
    """Pomerium's list matcher; a bare value means `has`."""
    held = list(values)
    return _all(
        matcher if isinstance(matcher, Mapping) else {"has": matcher},
        {
            "has": lambda wanted: wanted in held,
            "is": lambda wanted: held == [wanted],
            "exclude": lambda wanted: wanted not in held,
        },
    )


def _all(named: Mapping[Any, Any], tests: Mapping[str, Callable[[Any], bool]]) -> bool | None:
    """Whether all matchers are met; None where one is not known, or cannot be asked of such a value."""
    answers: list[bool | None] = []
    for name, wanted in named.items():
        try:
            answers.append(tests[name](wanted))
        except (KeyError, TypeError):
            answers.append(None)
    return False if False in answers else None if None in answers else True


def _unreadable(why: str) -> Failed:
    return Failed(f"The policy is not Pomerium's policy language: {why}.")
