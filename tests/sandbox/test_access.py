"""Who gets in: `access check` over the sandbox's people, and every way in which it cannot be known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Sandbox
from msgspec.structs import replace
from outside import Outside

from toolkit.checks import access
from toolkit.environments import loading
from toolkit.sandbox import client
from toolkit.systems.connections import Connections

E = ("--env", "sandbox")
AT = "@partner.example"
GROUP = "rp006-neuro-users"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/rp006-neuro/ingresses"
INGRESS = f"{INGRESSES}/dash-phenoapp-v2"


def check(sandbox: Sandbox, name: str, code: int, *more: str) -> Any:
    return sandbox.run("access", "check", f"{name}{AT}", *E, "-o", "json", *more, code=code).json()


def annotate(annotations: dict[str, str | None]) -> None:
    """As `kubectl annotate --overwrite` does."""
    world = Outside()
    name = world.environment.pomerium.annotation_prefix or "ingress.pomerium.io"
    body = {"metadata": {"annotations": {f"{name}/{key}": value for key, value in annotations.items()}}}
    found = world.kube("rp006-prod", INGRESS, body, method="PATCH")
    assert found["kind"] == "Ingress", found


def unknown(sandbox: Sandbox, code: int, *words: str, name: str = "ines.moreau") -> Any:
    """It is not known, with the reason (all `words`) and a next step."""
    found = check(sandbox, name, code)
    assert (found["status"], found["verdict"], found["allowed"]) == ("unknown", "unknown", None), found
    assert all(word in found["summary"] + found["hint"] for word in words), found
    assert found["hint"], found
    return found


def configured(name: str, **parts: dict[str, Any]) -> dict[str, Any]:
    """The finding, where parts of the environment are configured otherwise than the sandbox says."""
    settings = loading.load(sandbox=client.start().config_file).settings
    environment = settings.environments["sandbox"]
    changed = {part: replace(getattr(environment, part), **values) for part, values in parts.items()}
    connections = Connections(replace(environment, **changed), settings)
    try:
        found = access.finding(access.look(connections, f"{name}{AT}"))
    finally:
        connections.close()
    return {**found.facts, "status": str(found.status), "summary": found.summary, "hint": found.hint}


# -- people


def test_somebody_in_the_okta_group_gets_in(sandbox: Sandbox) -> None:
    found = check(sandbox, "ines.moreau", 0)
    assert (found["verdict"], found["allowed"], found["text"]) == ("in", True, "")
    assert GROUP in found["rule"]
    assert found["policy_at"] == "Ingress rp006-neuro/dash-phenoapp-v2 in cluster rp006-prod"
    assert f"by the Okta group {GROUP}" in found["summary"]


def test_a_google_group_of_that_name_opens_nothing(sandbox: Sandbox) -> None:
    found = check(sandbox, "tom.brandt", 1)
    assert found["verdict"] == "google-group-only"
    assert {"name": GROUP, "from": "Google Workspace"} in found["alike"]
    assert found["wanted"] == [GROUP]
    held = next(one for one in found["groups"] if one["name"] == GROUP)
    assert (held["type"], held["counts"]) == ("APP_GROUP", False)
    assert found["ask"] == "the security team"


def test_the_text_for_the_security_team_names_the_okta_group_by_its_id(sandbox: Sandbox) -> None:
    found = check(sandbox, "tom.brandt", 1)
    ran = sandbox.run("access", "check", f"tom.brandt{AT}", *E, "--text", code=1)
    assert ran.out.startswith(f"Please add Tom Brandt (tom.brandt{AT}) to the Okta group {GROUP} (00g"), ran.out
    google = next(one["id"] for one in found["groups"] if one["name"] == GROUP)
    assert google not in ran.out
    assert found["user"]["id"] in ran.out
    assert "https://rp006.map.example" in ran.out


def test_somebody_in_no_group(sandbox: Sandbox) -> None:
    found = check(sandbox, "li.chen", 1)
    assert (found["verdict"], found["alike"]) == ("not-in-group", [])
    assert found["wanted"] == [GROUP, "mapapp-on-call"]


@pytest.mark.parametrize(
    ("name", "word"), [("paul.weber", "suspended"), ("eva.kraus", "deactivated")], ids=["suspended", "deprovisioned"]
)
def test_an_account_that_is_not_active(sandbox: Sandbox, name: str, word: str) -> None:
    found = check(sandbox, name, 1)
    assert found["verdict"] == "not-active"
    assert word in found["summary"]
    assert found["ask"] == "the security team"


def test_nobody_of_that_name(sandbox: Sandbox) -> None:
    found = check(sandbox, "inesmoreau", 1)
    assert (found["verdict"], found["user"]) == ("unknown-user", None)
    assert "letter by letter" in found["hint"]


def test_somebody_whose_login_is_not_the_e_mail_address(sandbox: Sandbox) -> None:
    found = check(sandbox, "jo.okafor", 0)
    assert found["user"]["login"] == f"u4711{AT}"
    assert found["user"]["email"] == f"jo.okafor{AT}"


def test_behind_catalyst_it_says_what_is_known_and_whom_to_ask(sandbox: Sandbox) -> None:
    ran = sandbox.run("access", "check", f"tom.brandt{AT}", "--env", "sandbox-mapapp", "-o", "json", code=3)
    found = ran.json()
    assert (found["verdict"], found["allowed"], found["ask"]) == ("catalyst", None, "those who run Catalyst")
    assert found["user"]["status"] == "ACTIVE"
    assert "https://map.example" in found["text"]


def test_what_a_person_reads(sandbox: Sandbox) -> None:
    ran = sandbox.run("access", "check", f"tom.brandt{AT}", *E, code=1)
    for word in (
        "does not count",
        "claim/groups",
        "APP_GROUP",
        "Ready to send to the security team",
        "kubectl",
        "curl",
    ):
        assert word in ran.out, ran.out
    plain = sandbox.run("access", "check", f"tom.brandt{AT}", *E, "-o", "plain", code=1).out
    assert plain == f"tom.brandt{AT}\tgoogle-group-only\t{GROUP}\tthe security team\n"


@pytest.mark.parametrize("who", ["", "  ", "two words", "a\x1b[2Jb"])
def test_what_is_no_address_is_refused(sandbox: Sandbox, who: str) -> None:
    ran = sandbox.run("access", "check", who, *E, code=2)
    assert "nobody's address" in ran.err
    assert "\x1b" not in ran.err


# -- policies


@pytest.mark.parametrize(
    ("annotations", "verdict"),
    [
        ({"policy": "allow: {or: [{domain: {is: partner.example}}]}"}, "in"),
        ({"policy": "[{allow: {or: [{email: {is: li.chen@partner.example}}]}}]"}, "in"),
        ({"policy": None, "allow_any_authenticated_user": "true"}, "in"),
        ({"policy": None, "allowed_users": '["li.chen@partner.example"]'}, "in"),
        ({"policy": None, "allowed_domains": '["other.example"]'}, "denied"),
        ({"policy": None, "allowed_groups": f'["{GROUP}"]'}, "not-in-group"),
        ({"policy": None, "allowed_idp_claims": f"{{groups: [{GROUP}]}}"}, "not-in-group"),
        (
            {"policy": "allow: {or: [{authenticated_user: true}]}\ndeny: {or: [{claim/groups: roche-partners}]}"},
            "denied",
        ),
        ({"policy": "allow: {and: [{domain: {is: partner.example}}, {day_of_week: mon-fri}]}"}, "depends"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_policy_is_read_as_pomerium_reads_it(
    sandbox: Sandbox, annotations: dict[str, str | None], verdict: str
) -> None:
    annotate(annotations)
    code = {"in": 0, "depends": 3}.get(verdict, 1)
    assert check(sandbox, "li.chen", code)["verdict"] == verdict


def test_a_policy_that_names_a_group_by_its_id(sandbox: Sandbox) -> None:
    groups = check(sandbox, "ines.moreau", 0)["groups"]
    own = next(one["id"] for one in groups if one["name"] == GROUP)
    annotate({"policy": f"allow: {{or: [{{groups: {{has: {own}}}}}]}}"})
    assert check(sandbox, "ines.moreau", 0)["verdict"] == "in"
    found = check(sandbox, "tom.brandt", 1)
    assert (found["verdict"], found["wanted"]) == ("google-group-only", [GROUP])


def test_a_policy_that_names_a_group_which_okta_does_not_have(sandbox: Sandbox) -> None:
    annotate({"policy": "allow: {or: [{claim/groups: rp006-neuro-user}]}"})
    assert "Okta has no such group called rp006-neuro-user" in check(sandbox, "ines.moreau", 1)["hint"]


def test_the_policy_from_a_copy_of_pomeriums_configuration(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "routes:\n- from: https://other.example\n  to: http://a\n- from: https://rp006.map.example\n"
        f"  to: http://b\n  policy:\n  - allow: {{or: [{{claim/groups: {GROUP}}}]}}\n",
        "utf-8",
    )
    found = configured("ines.moreau", pomerium={"config_file": str(file)})
    assert found["verdict"] == "in"
    assert found["policy_at"] == f"the route from https://rp006.map.example in {file}"
    file.write_text("routes: []\n", "utf-8")
    assert (
        "no route from rp006.map.example" in configured("ines.moreau", pomerium={"config_file": str(file)})["summary"]
    )


def test_a_policy_in_another_cluster_is_found_there(sandbox: Sandbox) -> None:
    world = Outside()
    ingress = world.kube("rp006-prod", INGRESS)
    world.kube("rp006-prod", INGRESS, method="DELETE")
    ingress["metadata"] = {key: ingress["metadata"][key] for key in ("name", "annotations")}
    assert world.kube("prod-cluster", INGRESSES, ingress)["kind"] == "Ingress"
    unknown(sandbox, 3, "it is in cluster prod-cluster, namespace rp006-neuro", "pomerium.cluster")
    found = configured("ines.moreau", pomerium={"cluster": "prod-cluster", "namespace": "rp006-neuro"})
    assert found["verdict"] == "in"


def test_a_policy_that_is_nowhere(sandbox: Sandbox) -> None:
    Outside().kube("rp006-prod", INGRESS, method="DELETE")
    found = unknown(sandbox, 3, "nor in another configured cluster", "app.url")
    assert found["user"]["login"] == f"ines.moreau{AT}"  # what is known is said all the same


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        ("allow: [or: {", "is not YAML"),
        ("allow: {xor: [{domain: {is: a}}]}", "'xor'"),
        ("just words", "not Pomerium's policy language"),
        (None, "has no policy"),
    ],
)
def test_a_policy_that_cannot_be_read(sandbox: Sandbox, policy: str | None, word: str) -> None:
    annotate({"policy": policy})
    unknown(sandbox, 3, word)


def test_a_cluster_that_is_down(sandbox: Sandbox) -> None:
    client.set_faults("cluster rp006-prod", {"refuse": True})
    unknown(sandbox, 3, "rp006-prod")
    assert check(sandbox, "paul.weber", 1)["verdict"] == "not-active"  # whatever the policy says


# -- Okta's bad days


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ({"refuse": True}, 3, ("Okta at", "cannot be reached")),
        ({"status": 503}, 3, ("in trouble",)),
        ({"revoked": True}, 4, ("does not take the token", "E0000011", "okta.vault_path")),
        ({"forbidden": True}, 4, ("does not let the token read", "E0000006")),
        ({"html": True}, 3, ("is not Okta's API", "a web page")),
        ({"html": True, "status": 403}, 3, ("is not Okta's API", "a web page")),
        ({"nonsense": True}, 3, ("is not Okta's API",)),
        ({"too_many": 9, "reset_after": 60}, 3, ("slow down until", "E0000047")),
    ],
    ids=["down", "503", "revoked", "forbidden", "html", "html-403", "nonsense", "429"],
)
def test_okta_has_a_bad_day(sandbox: Sandbox, fault: dict[str, Any], code: int, words: tuple[str, ...]) -> None:
    client.set_faults("okta", fault)
    found = unknown(sandbox, code, *words)
    assert GROUP in found["policy"]  # what is known is said all the same


def test_okta_hangs(sandbox: Sandbox) -> None:
    client.set_faults("okta", {"hang": True})
    found = configured("ines.moreau", okta={"timeout_seconds": 0.3})
    assert (found["status"], found["verdict"]) == ("unknown", "unknown")
    assert "did not answer within 0.3 s" in found["summary"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"okta": {"address": ""}}, "okta.address is empty"),
        ({"okta": {"address": "http://example.okta.com"}}, "no https URL"),
        ({"okta": {"vault_path": ""}}, "okta.vault_path is empty"),
        ({"okta": {"vault_path": "phenoapp/nowhere"}}, "phenoapp/nowhere"),
        ({"okta": {"ca_file": ""}}, "certificate"),
        ({"app": {"url": ""}}, "app.url and pomerium.ingress are both empty"),
        ({"app": {"cluster": ""}}, "pomerium.cluster and app.cluster are both empty"),
        ({"app": {"way_in": "a rope"}}, "app.way_in is 'a rope'"),
        ({"pomerium": {"config_file": "/nowhere/config.yaml"}}, "cannot be read"),
    ],
    ids=str,
)
def test_what_is_not_configured_is_named(sandbox: Sandbox, parts: dict[str, dict[str, Any]], words: str) -> None:
    found = configured("ines.moreau", **parts)
    assert (found["status"], found["verdict"]) == ("unknown", "unknown")
    assert words in found["summary"]
    assert found["hint"]


def test_a_rate_limit_that_is_over_soon_is_waited_for(sandbox: Sandbox) -> None:
    client.set_faults("okta", {"too_many": 1, "reset_after": 0.2})
    assert check(sandbox, "ines.moreau", 0)["verdict"] == "in"


def test_groups_come_page_by_page(sandbox: Sandbox) -> None:
    client.set_faults("okta", {"most_in_page": 1})
    found = check(sandbox, "ines.moreau", 0)
    assert [one["name"] for one in found["groups"]] == ["Everyone", "roche-partners", GROUP, "rp006-news"]


def test_a_token_that_may_not_read_apps_still_tells_the_two_groups_apart(sandbox: Sandbox) -> None:
    client.set_faults("okta", {"apps_forbidden": True})
    assert check(sandbox, "tom.brandt", 1)["verdict"] == "google-group-only"


def test_vault_is_sealed(sandbox: Sandbox) -> None:
    sandbox.scenario("vault-sealed")
    unknown(sandbox, 3, "sealed")


# -- in `why` and in the runbook


def test_why_somebody_is_kept_out(sandbox: Sandbox) -> None:
    symptom = client.apply_scenario(["access-not-in-okta-group"])["symptom"]
    ran = sandbox.run("why", "--access", symptom["who"], *E, code=1)
    assert "Cause: access-not-in-okta-group (95%)" in ran.out
    assert "the security team" in ran.out


def test_access_is_one_more_hypothesis_of_why(sandbox: Sandbox) -> None:
    answer = sandbox.run("why", "BRCA1", "--user", f"tom.brandt{AT}", *E, "-o", "json", code=1).json()
    assert [one["cause"] for one in answer["verdict"]["causes"]] == ["access-not-in-okta-group"]
    assert answer["question"]["who"] == f"tom.brandt{AT}"
    answer = sandbox.run("why", "BRCA1", "--user", f"ines.moreau{AT}", *E, "-o", "json", code=0).json()
    assert {"cause": "access-not-in-okta-group", "by": "access"} in answer["ruled_out"]


def test_why_names_what_else_keeps_somebody_out(sandbox: Sandbox) -> None:
    answer = sandbox.run("why", "--access", f"paul.weber{AT}", *E, "-o", "json", code=1).json()
    assert "suspended" in answer["verdict"]["barred"]
    assert answer["verdict"]["ask"] == "the security team"


def test_why_takes_one_person_at_a_time(sandbox: Sandbox) -> None:
    assert "two people" in sandbox.run("why", "--access", "a@x", "--user", "b@x", *E, code=2).err


def test_a_scenario_that_cannot_be_where_no_pomerium_is(sandbox: Sandbox) -> None:
    ran = sandbox.run("sandbox", "scenario", "access-not-in-okta-group", "--env", "sandbox-mapapp", code=2)
    assert "not behind Pomerium" in ran.err


@pytest.mark.parametrize(
    ("name", "environment", "step"),
    [
        ("tom.brandt", "sandbox", "ask-for-the-okta-group"),
        ("paul.weber", "sandbox", "is-it-the-right-account"),
        ("ines.moreau", "sandbox", "what-do-they-see"),  # the door is open: what they see, a person has to say
        ("tom.brandt", "sandbox-mapapp", "ask-those-who-run-catalyst"),
    ],
)
def test_the_runbook_goes_by_what_the_check_found(sandbox: Sandbox, name: str, environment: str, step: str) -> None:
    words = ("runbook", "run", "why-cant-i-get-in", "--set", f"who={name}{AT}", "--yes", "--env", environment)
    assert sandbox.run(*words, "-o", "json", code=5).json()["here"]["step"] == step


def test_behind_catalyst_okta_is_only_a_help(sandbox: Sandbox) -> None:
    client.set_faults("okta", {"revoked": True})
    ran = sandbox.run("access", "check", f"tom.brandt{AT}", "--env", "sandbox-mapapp", code=3)
    assert "does not take the token" in ran.out
    assert "those who run Catalyst" in ran.out
