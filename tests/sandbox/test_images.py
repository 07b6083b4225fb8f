"""`toolkit image check` and what stands behind it: every place where the cache manager's image is named, and every one
of them on a bad day."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, Sandbox

from toolkit.cache.images import Image, agree
from toolkit.environments import loading, model
from toolkit.errors import NotAllowed
from toolkit.sandbox import client
from toolkit.systems.argocd.token import own_token
from toolkit.systems.connections import Connections

E = ("--env", "sandbox")
PLACES = ["eng-infrastructure", "Argo CD", "CronJob", "last run"]


@pytest.fixture
def healed(sandbox: Sandbox) -> Iterator[Sandbox]:
    yield sandbox
    sandbox.scenario("healthy")


def checked(sandbox: Sandbox, code: int) -> Any:
    return sandbox.run("image", "check", *E, "-o", "json", code=code).json()


def matches(found: Any) -> dict[str, str]:
    return {row["place"]: row["match"] for row in found["places"]}


def row(found: Any, place: str) -> Any:
    return next(one for one in found["places"] if one["place"] == place)


def environment() -> model.Environment:
    return loading.load(sandbox=client.start().config_file).settings.environments["sandbox"]


def connections() -> Connections:
    settings = loading.load(sandbox=client.start().config_file).settings
    return Connections(settings.environments["sandbox"], settings)


def repository() -> Path:
    return Path(environment().infra_repo.remote)


def git(*words: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.invalid")
    return subprocess.run(
        ["git", *who, *words], cwd=repository(), check=True, capture_output=True, text=True, umask=0o077
    ).stdout.strip()


def sync() -> Any:
    """Press Sync in Argo CD, as its REST API has it."""
    part, opened = environment().argocd, connections()
    token = opened._argocd_token().reveal()
    opened.close()
    request = urllib.request.Request(
        f"{part.address}/api/v1/applications/{part.application}/sync",
        data=b"{}",
        headers={"Authorization": f"Bearer {token}"},
    )
    context = ssl.create_default_context(cafile=part.ca_file)
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return json.load(answer)


@pytest.fixture
def mine(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ran]:
    """`image check` in an environment that is the sandbox's, but for what is given (argocd__address=…)."""
    text = client.start().config_file.read_text("utf-8")
    config = tmp_path / "mine.toml"
    config.write_text(re.sub(r"\[environments\.sandbox(?=[].])", "[environments.mine", text), "utf-8")
    monkeypatch.setenv("TOOLKIT_CONFIG", str(config))
    monkeypatch.setenv("TOOLKIT_ENV", "mine")
    monkeypatch.chdir(tmp_path)

    def run(code: int, **keys: str) -> Ran:
        for key, value in keys.items():
            monkeypatch.setenv(f"TOOLKIT_{key.upper()}", value)
        return sandbox.run("image", "check", "-o", "json", code=code)

    return run


# -- as it should be, and drifted


def test_healthy_all_places_say_the_same(sandbox: Sandbox) -> None:
    found = checked(sandbox, 0)
    assert matches(found) == dict.fromkeys(PLACES, "same")
    assert found["between"] == []
    assert found["argocd"]["sync"] == "Synced"
    assert row(found, "last run")["digests"][0].startswith("sha256:")
    assert row(found, "eng-infrastructure")["commit"] == found["argocd"]["deployed"] == git("rev-parse", "trunk")
    assert "No place differs." in sandbox.run("image", "check", *E).out


def test_drift_says_which_differ_since_when_and_what_lies_between(sandbox: Sandbox) -> None:
    before = git("rev-parse", "trunk")
    sandbox.scenario("image-drift")
    found = checked(sandbox, 1)
    assert matches(found) == {
        "eng-infrastructure": "same", "Argo CD": "drifted", "CronJob": "drifted", "last run": "drifted",
    }  # fmt: skip
    assert row(found, "eng-infrastructure")["images"] == ["phenoapp/cache-manager:v3.42.0"]
    assert row(found, "CronJob")["images"] == ["phenoapp/cache-manager:v3.41.2"]
    assert row(found, "CronJob")["commit"] == found["argocd"]["deployed"] == before
    assert [change["commit"] for change in found["between"]] == [git("rev-parse", "trunk")]
    assert row(found, "eng-infrastructure")["since"] == found["between"][0]["committed_at"]
    assert found["argocd"]["sync"] == "OutOfSync"
    drawn = sandbox.run("image", "check", *E, code=1).out
    assert "argocd app sync rp006-neuro-cache-manager-rxrx-cronjob-config --server 127.0.0.1:" in drawn
    assert "/applications/argocd/rp006-neuro-cache-manager-rxrx-cronjob-config" in drawn
    plain = sandbox.run("image", "check", *E, "-o", "plain", code=1).out.splitlines()
    assert [line.split("\t")[:2] for line in plain][2] == ["CronJob", "drifted"]


def test_after_a_sync_only_the_last_run_is_older_and_a_rebuild_mends_that(sandbox: Sandbox) -> None:
    sandbox.scenario("image-drift")
    assert sync()["status"]["sync"]["status"] == "Synced"
    found = checked(sandbox, 1)
    assert matches(found) == {**dict.fromkeys(PLACES, "same"), "last run": "drifted"}
    assert "the next run takes the CronJob's" in row(found, "last run")["detail"]
    why = sandbox.run("why", *E, "-o", "json", code=0).json()
    assert [one["cause"] for one in why["verdict"]["causes"]] == ["healthy"]
    sandbox.run("cache", "rebuild", "--yes", *E)
    assert matches(checked(sandbox, 0)) == dict.fromkeys(PLACES, "same")


def test_what_is_newer_is_what_git_says_not_the_tags_text(sandbox: Sandbox) -> None:
    """Trunk went back to an older tag, over one that sorts lower as text: both commits lie between."""
    manifest = repository() / environment().infra_repo.path
    for tag in ("v3.100.0", "v3.40.0"):
        text = manifest.read_text("utf-8")
        old = next(line for line in text.splitlines() if "image: " in line)
        manifest.write_text(text.replace(old, f"{old.rpartition(':')[0]}:{tag}"), "utf-8")
        git("commit", "-qam", f"cache-manager: {tag}")
    (repository() / "README.md").write_text("something else\n", "utf-8")
    git("commit", "-qam", "Say something else")
    found = checked(sandbox, 1)
    assert row(found, "eng-infrastructure")["images"] == ["phenoapp/cache-manager:v3.40.0"]
    assert [one["subject"] for one in found["between"]] == ["cache-manager: v3.40.0", "cache-manager: v3.100.0"]
    assert row(found, "eng-infrastructure")["commit"] == found["between"][0]["commit"]


def test_the_rebuilds_plan_says_it_too(sandbox: Sandbox) -> None:
    sandbox.scenario("image-drift")
    plan = sandbox.run("cache", "rebuild", "--dry-run", *E, "-o", "json").json()
    (fact,) = [fact for fact in plan["facts"] if fact["label"] == "image"]
    assert "v3.41.2, but eng-infrastructure asks for phenoapp/cache-manager:v3.42.0" in fact["value"]
    assert fact["status"] == "warn"


def test_an_image_that_was_set_by_hand_is_in_no_commit(sandbox: Sandbox) -> None:
    opened = connections()
    part = environment().cache_manager
    try:
        words = opened.cluster(part.cluster).kubectl("get", "pods", namespace=part.namespace)
    finally:
        opened.close()
    assert "kubectl" in words
    set_image(part, "phenoapp/cache-manager:mine")
    found = checked(sandbox, 1)
    assert matches(found)["CronJob"] == "drifted"
    assert found["between"] is None
    assert "phenoapp/cache-manager:mine stands nowhere in its history: it was set by hand" in " ".join(found["notes"])
    assert found["argocd"]["sync"] == "OutOfSync"


def test_the_runbook_leads_to_argo_cd(sandbox: Sandbox) -> None:
    sandbox.scenario("image-drift")
    ran = sandbox.run("runbook", "run", "is-it-the-right-image", "--yes", *E, code=5)
    assert "trunk asks for phenoapp/cache-manager:v3.42.0" in ran.out + ran.err
    assert "is-the-commit-meant-to-be-out" in ran.out
    sandbox.scenario("healthy")
    sandbox.run("runbook", "run", "is-it-the-right-image", "--yes", *E)


# -- bad days: eng-infrastructure


@pytest.mark.parametrize(
    ("key", "value", "code", "said"),
    [
        ("remote", "file:///no/such/place.git", 3, "cannot be read"),
        ("remote", "/no/such/clone", 2, "There is no clone"),
        ("branch", "trunc", 2, "no branch 'trunc'"),
        ("path", "kube/prod-cluster/rp006-neuro/cache-manger.yaml", 2, "has no file"),
        ("path", "README.md", 1, "defines no CronJob"),
        ("remote", "", 0, "infra_repo.remote is not configured"),
    ],
)
def test_trunk_that_cannot_be_read_leaves_the_other_rows(
    mine: Callable[..., Ran], key: str, value: str, code: int, said: str
) -> None:
    ran = mine(code, **{f"infra_repo__{key}": value})
    found = ran.json()
    trunk = row(found, "eng-infrastructure")
    assert said in trunk["problem"]
    assert trunk["hint"]
    assert matches(found)["CronJob"] == matches(found)["last run"] == "same"
    assert "Traceback" not in ran.err


def test_broken_yaml_on_trunk_is_said_with_its_line(sandbox: Sandbox) -> None:
    manifest = repository() / environment().infra_repo.path
    manifest.write_text("kind: CronJob\nspec: [\n", "utf-8")
    git("commit", "-qam", "Break it")
    found = checked(sandbox, 1)
    assert "line" in row(found, "eng-infrastructure")["problem"]
    assert found["argocd"]["sync"] in ("Unknown", "OutOfSync")
    assert matches(found)["CronJob"] == "same"


def test_a_manifest_that_was_moved_is_followed(sandbox: Sandbox) -> None:
    sandbox.scenario("wrong-cluster")
    found = checked(sandbox, 0)
    assert "was moved to kube/rp006-prod/rp006-neuro/cache-manager.yaml" in " ".join(found["notes"])
    assert row(found, "CronJob")["where"].startswith("rp006-prod/")


def test_a_remotes_history_is_fetched_only_where_it_is_asked_for(sandbox: Sandbox, mine: Callable[..., Ran]) -> None:
    sandbox.scenario("image-drift")
    found = mine(1, infra_repo__remote=f"file://{repository()}").json()
    assert [one["subject"] for one in found["between"]] == ["cache-manager: v3.42.0"]
    assert row(found, "CronJob")["commit"]


# -- bad days: Argo CD


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ({"refuse": True}, 3, "cannot be reached"),
        ({"status": 503}, 3, "in trouble (503)"),
        ({"html": True}, 3, "a web page"),
        ({"html": True, "status": 502}, 3, "a web page (502)"),
        ({"nonsense": True}, 3, "no JSON"),
        ({"expired": True}, 4, "token has expired"),
        ({"denied": True}, 4, "does not let us see the application"),
    ],
)
def test_argo_cd_on_a_bad_day(healed: Sandbox, fault: dict[str, Any], code: int, said: str) -> None:
    client.set_faults("argo cd", fault)
    found = checked(healed, code)
    assert said in row(found, "Argo CD")["problem"]
    assert row(found, "Argo CD")["hint"]
    assert {place: match for place, match in matches(found).items() if place != "Argo CD"} == dict.fromkeys(
        ("eng-infrastructure", "CronJob", "last run"), "same"
    )


@pytest.mark.parametrize(
    ("key", "value", "code", "said"),
    [
        ("address", "", 0, "argocd.address is not configured"),
        ("address", "https://127.0.0.1:1", 3, "cannot be reached"),
        ("address", "ftp://argocd.example", 2, "no http or https URL"),
        ("application", "nobody-config", 4, "says the same of an application that does not exist"),
        ("ca_file", "", 3, "not trusted"),
        ("ca_file", "/no/such/file", 2, "cannot be read as certificates"),
        ("vault_path", "phenoapp/nothing", 1, "There is no secret"),
        ("vault_field", "tokn", 2, "has no field"),
    ],
)
def test_argo_cd_configured_wrongly(mine: Callable[..., Ran], key: str, value: str, code: int, said: str) -> None:
    found = mine(code, **{f"argocd__{key}": value}).json()
    assert said in row(found, "Argo CD")["problem"]
    assert matches(found)["CronJob"] == "same"


@pytest.mark.usefixtures("healed")
def test_argo_cd_that_hangs_is_waited_for_only_so_long(mine: Callable[..., Ran]) -> None:
    client.set_faults("argo cd", {"hang": True})
    found = mine(3, argocd__timeout_seconds="0.5").json()
    assert "did not answer within 0.5 s" in row(found, "Argo CD")["problem"]


def test_with_the_project_a_missing_application_is_told_apart(mine: Callable[..., Ran]) -> None:
    found = mine(1, argocd__application="nobody-config", argocd__project="phenoapp").json()
    assert "knows no application nobody-config in project phenoapp" in row(found, "Argo CD")["problem"]


def test_a_token_that_argo_cd_does_not_know_is_refused_and_not_shown(
    mine: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGOCD_AUTH_TOKEN", "a-token-of-another-server")
    ran = mine(4, argocd__vault_path="")
    assert "does not take our token" in row(ran.json(), "Argo CD")["problem"]
    assert "a-token-of-another-server" not in ran.out + ran.err


def test_the_argocd_clis_login_is_used(
    mine: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened = connections()
    token = opened._argocd_token().reveal()
    opened.close()
    host = environment().argocd.address.removeprefix("https://")
    write_cli_config(tmp_path / "config", host, token)
    monkeypatch.delenv("ARGOCD_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("ARGOCD_CONFIG_DIR", str(tmp_path))
    assert matches(mine(0, argocd__vault_path="").json())["Argo CD"] == "same"


def write_cli_config(file: Path, host: str, token: str) -> None:
    file.write_text(
        f"""\
contexts:
- {{name: other, server: other.example, user: other}}
- {{name: {host}, server: {host}, user: {host}}}
current-context: other
servers:
- {{server: {host}, grpc-web: true}}
users:
- {{name: other, auth-token: the-other-servers-token}}
- {{name: '{host}', auth-token: {token}}}
""",
        "utf-8",
    )


def test_another_servers_token_is_never_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ARGOCD_AUTH_TOKEN", raising=False)
    write_cli_config(tmp_path / "config", "argocd.example", "the-right-servers-token")
    file = str(tmp_path / "config")
    assert own_token("argocd.example:443", file).reveal() == "the-right-servers-token"
    with pytest.raises(NotAllowed) as caught:
        own_token("third.example", file)
    assert "argocd login third.example" in caught.value.hint
    with pytest.raises(NotAllowed):
        own_token("argocd.example", str(tmp_path / "none"))


# -- bad days: the cluster


def kubectl(part: model.CacheManager, method: str, path: str, body: Any = None) -> Any:
    """Ask the cluster's API as kubectl does."""
    import yaml

    config = yaml.safe_load(
        Path(loading.load(sandbox=client.start().config_file).settings.clusters[part.cluster].kubeconfig).read_text()
    )
    (cluster,) = [one["cluster"] for one in config["clusters"] if part.cluster in one["name"]]
    (user,) = [one["user"] for one in config["users"] if part.cluster in one["name"]]
    headers = {"Authorization": f"Bearer {user['token']}", "Content-Type": "application/merge-patch+json"}
    request = urllib.request.Request(
        cluster["server"] + path,
        method=method,
        headers=headers,
        data=None if body is None else json.dumps(body).encode(),
    )
    context = ssl.create_default_context(cafile=environment().argocd.ca_file)
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return json.load(answer)


def cronjob_path(part: model.CacheManager) -> str:
    return f"/apis/batch/v1/namespaces/{part.namespace}/cronjobs/{part.cronjob}"


def set_image(part: model.CacheManager, image: str) -> None:
    found = kubectl(part, "GET", cronjob_path(part))
    template = found["spec"]["jobTemplate"]
    template["spec"]["template"]["spec"]["containers"][0]["image"] = image
    kubectl(part, "PATCH", cronjob_path(part), {"spec": {"jobTemplate": template}})


def test_no_pod_is_left(sandbox: Sandbox) -> None:
    part = environment().cache_manager
    pods = f"/api/v1/namespaces/{part.namespace}/pods"
    for pod in kubectl(part, "GET", pods)["items"]:
        if pod["metadata"]["ownerReferences"][0]["kind"] == "Job":
            kubectl(part, "DELETE", f"{pods}/{pod['metadata']['name']}")
    found = checked(sandbox, 0)
    last = row(found, "last run")
    assert (last["match"], last["images"]) == ("unknown", [])
    assert "no pod of the last 5 runs is left" in last["problem"]
    assert "toolkit logs" in last["hint"]
    assert {match for place, match in matches(found).items() if place != "last run"} == {"same"}


def test_no_cronjob_anywhere(sandbox: Sandbox) -> None:
    part = environment().cache_manager
    kubectl(part, "DELETE", cronjob_path(part))
    found = checked(sandbox, 1)
    assert "There is no CronJob" in row(found, "CronJob")["problem"]
    assert row(found, "last run")["match"] == "unknown"
    assert found["argocd"]["health"] == "Missing"
    assert matches(found)["Argo CD"] == "same"


def test_a_cluster_that_cannot_be_reached(healed: Sandbox) -> None:
    client.set_faults("cluster prod-cluster", {"refuse": True})
    found = checked(healed, 3)
    assert "prod-cluster" in row(found, "CronJob")["problem"]
    assert matches(found)["Argo CD"] == "same"


# -- the comparison


@pytest.mark.parametrize(
    ("wanted", "there", "digest", "same"),
    [
        ("phenoapp/x:v1", "phenoapp/x:v1", "", True),
        ("phenoapp/x:v1", "docker.io/phenoapp/x:v1", "sha256:a", True),
        ("phenoapp/x:v1", "phenoapp/x:v2", "", False),
        ("phenoapp/x:v1", "phenoapp/y:v1", "", False),
        ("phenoapp/x:v1@sha256:a", "phenoapp/x:v1", "sha256:a", True),
        ("phenoapp/x:v1@sha256:a", "phenoapp/x:v1", "sha256:b", False),
        ("reg.example:5000/x@sha256:a", "reg.example:5000/x:v9@sha256:a", "", True),
        ("phenoapp/x", "phenoapp/x:latest", "", True),
    ],
)
def test_digests_decide_where_both_are_known(wanted: str, there: str, digest: str, same: bool) -> None:
    assert agree([Image.parse(wanted)], [Image.parse(there, digest)]) is same


def test_an_injected_sidecar_is_no_drift_of_a_pod() -> None:
    pod = [Image.parse("phenoapp/x:v1"), Image.parse("istio/proxyv2:1.22")]
    assert agree([Image.parse("phenoapp/x:v1")], pod, more=True)
    assert not agree([Image.parse("phenoapp/x:v1")], pod)
