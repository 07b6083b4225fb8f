"""`toolkit config init` at a terminal: a new workstation, set up against the sandbox's servers as against real ones."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Sandbox

from toolkit.checks.set_up import SetUp
from toolkit.cli import diagnostics
from toolkit.environments import loading
from toolkit.sandbox import client
from toolkit.systems import workstation

FOUND = {
    "clusters.principal.context": "sandbox-principal",
    "clusters.rp006-prod.context": "sandbox-rp006-prod",
    "clusters.prod-cluster.context": "sandbox-prod-cluster",
}


def environment() -> Any:
    return loading.load(sandbox=client.start().config_file).settings.environments["sandbox"]


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workstation on which kubectl, vault, gcloud and git are set up, and the toolkit is not."""
    state = client.directory()
    home = tmp_path / "home"
    (home / ".kube").mkdir(parents=True)
    shutil.copy(state / "kubeconfig", home / ".kube" / "config")
    shutil.copytree(state / "eng-infrastructure", home / "eng-infrastructure")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("VAULT_ADDR", environment().vault.address)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "sandbox-rp006-prod")
    for variable in ("KUBECONFIG", "ARGOCD_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def file(desk: Path) -> Path:
    """What stands in the configuration before: where an emulator of Google's storage is, and a certificate's file."""
    found, here = desk.parent / "toolkit-to-be.toml", environment()
    found.write_text(
        f"""
        [environments.rp006.bucket]
        endpoint = "{here.bucket.endpoint}"
        [environments.rp006.argocd]
        address = "{here.argocd.address}"
        ca_file = "{here.argocd.ca_file}"
        vault_path = "{here.argocd.vault_path}"
        [environments.rp006.vault]
        token_file = "{here.vault.token_file}"
        """
    )
    return found


class Asked:
    """Answers the questions that hold some words; Enter to all others. `said` is every question."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: list[str | type[BaseException]]) -> None:
        self.said: list[str] = []
        self.told: list[str] = []
        self._answers = answers
        monkeypatch.setattr(diagnostics, "can_ask", lambda: True)
        monkeypatch.setattr(diagnostics, "ask", self._ask)
        narrate = diagnostics.narrate

        def told(text: str, style: str = "") -> None:
            self.told.append(text)
            narrate(text, style)

        monkeypatch.setattr(diagnostics, "narrate", told)

    def _ask(self, question: str) -> str:
        about = next((text for text in reversed(self.told) if ": " in text and not text.startswith("  ")), "")
        self.said.append(about)
        for words, answers in self._answers.items():
            if about.startswith(words) and answers:
                answer = answers.pop(0)
                if isinstance(answer, str):
                    return answer
                raise answer
        return ""


def test_what_can_be_found_out_is_not_asked(sandbox: Sandbox, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    sandbox.run("config", "init", "rp006", "--to", str(file), "--force")
    written = tomllib.loads(file.read_text())
    here, was = written["environments"]["rp006"], environment()
    assert {f"clusters.{name}.context": part["context"] for name, part in written["clusters"].items()} == FOUND
    assert here["vault"]["address"] == was.vault.address
    assert here["cache_manager"] == {"namespace": "rp006-neuro", "cluster": "prod-cluster"}
    assert (here["redis_proxy"]["cluster"], here["app"]["cluster"]) == ("prod-cluster", "rp006-prod")
    assert here["bucket"]["name"] == was.bucket.name
    assert here["infra_repo"]["path"] == was.infra_repo.path
    assert here["bucket"]["endpoint"] == was.bucket.endpoint  # what stood there is kept
    assert [about.partition(":")[0] for about in asked.said] == ["redis_proxy", "app"]  # each is in two places
    assert file.with_name("toolkit-to-be.toml.bak").exists()
    assert str(was.vault.token_file) not in "\n".join(asked.told)


def test_an_answer_that_does_not_work_is_asked_again(
    sandbox: Sandbox, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:9")
    good = environment().vault.address
    asked = Asked(
        monkeypatch, **{"vault.address": ["http://127.0.0.1:9", "n", good], "app": ["nowhere", "rp006-prod/x", "y"]}
    )
    sandbox.run("config", "init", "rp006", "--to", str(file), "--force")
    here = tomllib.loads(file.read_text())["environments"]["rp006"]
    assert here["vault"]["address"] == good
    assert here["app"]["namespace"] == "x"  # somebody wanted it all the same
    assert any("'nowhere' is not CLUSTER/NAMESPACE" in text for text in asked.told)
    assert any("no Deployment dash-phenoapp-v2 is in rp006-prod, namespace x" in text for text in asked.told)


def test_interrupted_it_keeps_what_was_known_and_goes_on(
    sandbox: Sandbox, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Asked(monkeypatch, app=[KeyboardInterrupt])
    ran = sandbox.run("config", "init", "rp006", "--to", str(file), "--force", code=130)
    assert "toolkit config init --force" in ran.err
    first = tomllib.loads(file.read_text())["environments"]["rp006"]
    assert first["redis_proxy"]["cluster"] == "prod-cluster"
    assert first["bucket"].get("name", "") == ""
    asked = Asked(monkeypatch)
    sandbox.run("config", "init", "rp006", "--to", str(file), "--force")
    assert [about.partition(":")[0] for about in asked.said] == ["app"]
    assert tomllib.loads(file.read_text())["environments"]["rp006"]["bucket"]["name"] == environment().bucket.name


def test_a_file_that_is_there_is_left_alone(sandbox: Sandbox, file: Path) -> None:
    before = file.read_text()
    ran = sandbox.run("config", "init", "rp006", "--to", str(file), code=2)
    assert "--force takes its values over" in ran.err
    assert file.read_text() == before


def test_nothing_is_asked_where_nobody_can_answer(sandbox: Sandbox, desk: Path) -> None:
    to = desk.parent / "blank.toml"
    sandbox.run("config", "init", "--to", str(to))
    written = tomllib.loads(to.read_text())
    assert written["clusters"]["principal"]["context"] == ""
    assert written["environments"]["mapapp"]["vault"]["address"] == ""


def test_a_workstation_with_nothing_offers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for variable in ("VAULT_ADDR", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT", "KUBECONFIG", "CLOUDSDK_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    offers = {wanted.key: wanted.offers for wanted in SetUp(["mapapp"]).wanted()}
    assert offers["clusters.principal.context"] == ()
    assert offers["environments.mapapp.vault.address"] == ()
    assert offers["environments.mapapp.cache_manager"] == ()
    assert workstation.argocd_servers() == []


def test_other_programs_are_read_as_they_read_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in (
        "GOOGLE_CLOUD_PROJECT",
        "CLOUDSDK_CORE_PROJECT",
        "KUBECONFIG",
        "CLOUDSDK_CONFIG",
        "XDG_CONFIG_HOME",
    ):
        monkeypatch.delenv(variable, raising=False)
    gcloud = tmp_path / ".config" / "gcloud"
    (gcloud / "configurations").mkdir(parents=True)
    (gcloud / "active_config").write_text("work\n")
    (gcloud / "configurations" / "config_work").write_text(
        "[core]\naccount = x@example.invalid\nproject = rp006-prod\n"
    )
    assert workstation.gcloud_project() == "rp006-prod"
    argocd = tmp_path / ".config" / "argocd"
    argocd.mkdir()
    contexts = [
        {"name": "old", "server": "old.example.invalid", "user": "old"},
        {"name": "a", "server": "cd.example.invalid", "user": "a"},
    ]
    (argocd / "config").write_text(yaml.safe_dump({"current-context": "a", "contexts": contexts}))
    assert workstation.argocd_servers() == ["https://cd.example.invalid", "https://old.example.invalid"]
    names = ["gke_p_us-central1_prod-cluster", "gke_p_us-central1_rp006-prod", "prod", "minikube"]
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(
        yaml.safe_dump({"contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in names]})
    )
    assert workstation.contexts_of("prod-cluster") == ["gke_p_us-central1_prod-cluster"]
    assert workstation.contexts_of("principal", ("primary",)) == []
