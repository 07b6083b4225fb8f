"""The sandbox's Vault matches policy paths as Vault's documentation says it does."""

from __future__ import annotations

import pytest

from toolkit.sandbox.vault.policies import Policies, Tokens, fits


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("secret/a", "secret/a", True),
        ("secret/a", "secret/a/b", False),
        ("secret/*", "secret/a/b", True),
        ("secret/*", "secret/", True),
        ("secret/*", "secret", False),
        ("secret/a*", "secret/abc/d", True),
        ("secret/+/team", "secret/x/team", True),
        ("secret/+/team", "secret/x/y/team", False),
        ("+/data/*", "kv/data/a/b", True),
        ("secret/+", "secret/a", True),
        ("secret/+", "secret/a/b", False),
    ],
)
def test_patterns(pattern: str, path: str, covered: bool) -> None:
    assert fits(pattern, path) is covered


def test_the_most_specific_rule_decides() -> None:
    policies = Policies()
    policies.write(
        "a", {"secret/*": ("read", "update"), "secret/data/phenoapp/*": ("read",), "secret/data/x": ("deny",)}
    )
    assert policies.capabilities(["a"], "secret/data/phenoapp/y") == ("read",)
    assert policies.capabilities(["a"], "secret/data/other") == ("read", "update")
    assert policies.capabilities(["a"], "secret/data/x") == ("deny",)
    assert policies.capabilities(["a"], "kv/x") == ("deny",)


def test_the_same_rule_in_two_policies_adds_up_unless_one_denies() -> None:
    policies = Policies()
    policies.write("a", {"secret/x": ("read",)})
    policies.write("b", {"secret/x": ("list",)})
    policies.write("c", {"secret/x": ("deny",)})
    assert policies.capabilities(["a", "b"], "secret/x") == ("list", "read")
    assert policies.capabilities(["a", "c"], "secret/x") == ("deny",)


@pytest.mark.parametrize(
    ("pattern", "reached"),
    [
        ("secret/data/*", True),
        ("secret/*", True),
        ("+/data/x", True),
        ("sec*", True),
        ("other/*", False),
        ("secret", False),
    ],
)
def test_which_mounts_a_policy_reaches(pattern: str, reached: bool) -> None:
    policies = Policies()
    policies.write("a", {pattern: ("read",)})
    assert policies.reaches(["a"], "secret/") is reached


def test_tokens_end_by_the_clock() -> None:
    now = [1000.0]
    tokens = Tokens(lambda: now[0])
    token = tokens.issue(["oncall"], 60)
    now[0] += 59
    assert tokens.find(token.id) is not None
    tokens.renew(token, 60)
    now[0] += 59
    assert tokens.find(token.id) is not None
    now[0] += 2
    assert tokens.find(token.id) is None
