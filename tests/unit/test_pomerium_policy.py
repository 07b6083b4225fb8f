"""Pomerium's policy language, as Pomerium evaluates it: every operator, every matcher, and what is not known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import Failed
from toolkit.systems.pomerium.policy import Policy, Visitor, read_policy

ANA = Visitor("00u1", "ana@a.example", frozenset({"users", "00g1"}))
YES, NO, MAYBE = {"groups": "users"}, {"groups": "others"}, {"source_ip": "10.0.0.0/8"}


def allowed(document: Any, visitor: Visitor = ANA) -> bool | None:
    return Policy(read_policy(document)).judge(visitor).allowed


@pytest.mark.parametrize(
    ("operator", "criteria", "answer"),
    [
        ("and", [YES, YES], True),
        ("and", [YES, NO], False),
        ("and", [YES, MAYBE], None),
        ("and", [NO, MAYBE], False),
        ("or", [YES, NO], True),
        ("or", [NO, NO], False),
        ("or", [YES, MAYBE], True),
        ("or", [NO, MAYBE], None),
        ("not", [NO, NO], True),  # none of them
        ("not", [YES, NO], False),
        ("not", [NO, MAYBE], None),
        ("nor", [YES, YES], False),  # not all of them
        ("nor", [YES, NO], True),
        ("nor", [YES, MAYBE], None),
    ],
)
def test_operators(operator: str, criteria: list[Any], answer: bool | None) -> None:
    assert allowed({"allow": {operator: criteria}}) is answer


@pytest.mark.parametrize(
    ("criterion", "answer"),
    [
        ({"groups": {"has": "users"}}, True),
        ({"groups": {"has": "00g1"}}, True),
        ({"groups": {"is": "users"}}, False),  # they are in others too
        ({"groups": {"exclude": "users"}}, False),
        ({"claim/groups": "users"}, True),
        ({"claim/groups": "Users"}, False),
        ({"email": {"is": "ana@a.example"}}, True),
        ({"email": {"in": ["ana@a.example", "x"]}}, True),
        ({"email": {"starts_with": "ana", "ends_with": "b.example"}}, False),
        ({"email": {"contains": "@a."}}, True),
        ({"email": {"not": "x"}}, True),
        ({"email": {"like": "ana%"}}, None),
        ({"email": {"contains": 5}}, None),
        ({"domain": {"is": "a.example"}}, True),
        ({"domain": "example"}, False),
        ({"user": {"is": "00u1"}}, True),
        ({"user": {"is": "ana@a.example"}}, False),
        ({"authenticated_user": True}, True),
        ({"accept": True}, True),
        ({"reject": True}, False),
        ({"claim/department": "x"}, None),
        ({"invalid_client_certificate": True}, False),
        ({"groups": {"has": ["users"]}}, False),
    ],
    ids=str,
)
def test_criteria(criterion: dict[str, Any], answer: bool | None) -> None:
    assert allowed({"allow": {"or": [criterion]}}) is answer


def test_deny_goes_before_allow_wherever_it_stands() -> None:
    rules: list[Any] = [{"allow": {"or": [YES]}}, {"deny": {"or": [{"domain": "a.example"}]}}]
    for document in (rules, rules[::-1], {**rules[0], **rules[1]}):
        ruling = Policy(read_policy(document)).judge(ANA)
        assert ruling.allowed is False
        assert str(ruling.rule) == "deny domain a.example"


def test_a_deny_that_cannot_be_told_leaves_it_open() -> None:
    ruling = Policy(read_policy({"allow": {"or": [YES]}, "deny": {"or": [MAYBE]}})).judge(ANA)
    assert (ruling.allowed, ruling.unsure) == (None, ("source_ip 10.0.0.0/8",))


def test_operators_of_one_rule_are_alternatives() -> None:
    assert allowed({"allow": {"and": [NO], "or": [YES]}}) is True


@pytest.mark.parametrize(
    "document", ["words", 5, None, [[]], {"permit": {}}, {"allow": []}, {"allow": {"or": {}}}, {"allow": {"or": ["x"]}}]
)
def test_what_is_no_policy_is_refused(document: Any) -> None:
    with pytest.raises(Failed, match="not Pomerium's policy language"):
        read_policy(document)


_criterion = st.sampled_from([YES, NO, MAYBE])
_rules = st.dictionaries(
    st.sampled_from(["and", "or", "not", "nor"]), st.lists(_criterion, min_size=1, max_size=3), min_size=1, max_size=3
)


@given(st.lists(st.dictionaries(st.sampled_from(["allow", "deny"]), _rules, max_size=2), max_size=4))
def test_what_is_said_for_sure_holds_however_the_unknown_turns_out(document: list[Any]) -> None:
    said = allowed(document)
    answers = {allowed(_told(document, one)) for one in (YES, NO)}
    assert None not in answers
    if said is not None:
        assert answers == {said}


def _told(document: Any, instead: dict[str, Any]) -> Any:
    if document == MAYBE:
        return instead
    if isinstance(document, list):
        return [_told(one, instead) for one in document]
    return {key: _told(one, instead) for key, one in document.items()} if isinstance(document, dict) else document
