"""eng-infrastructure, read with the real git from real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from toolkit import paths
from toolkit.environments import model
from toolkit.errors import ConfigurationError, Failed, NotAllowed, NotFound, TimedOut, Unreachable
from toolkit.systems import git_file, infra_history
from toolkit.systems.infra_repo import InfraRepo

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="NO git ON PATH: eng-infrastructure is NOT tested")

NAME = "dash-phenoapp-v2-cache-manager-rxrx-cronjob"
PATH = "kube/principal/dash-phenoapp-v2/cache-manager.yaml"


def manifest(tag: str, name: str = NAME) -> str:
    return f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: something-else}}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {name}
spec:
  schedule: "0 1 * * 5"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: cache-manager
            image: phenoapp/cache-manager:{tag}
---
"""


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "trunk")
        self.write(manifest("1.4.2"))

    def git(self, *words: str) -> str:
        who = {f"GIT_{role}_{what}": "x@example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return subprocess.run(
            ["git", *words],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **who},
        ).stdout.strip()

    def write(self, text: str, path: str = PATH) -> str:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", f"Change {path}")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "eng-infrastructure")


def part(remote: object, **other: str) -> model.InfraRepo:
    return model.InfraRepo(**{"remote": str(remote), "path": PATH, **other})  # type: ignore[arg-type]


def test_a_clone_says_the_image_and_the_commit_that_set_it(repository: Repository) -> None:
    wanted_commit = repository.write(manifest("1.5.0"))
    repository.write("something\n", "README.md")
    found = InfraRepo(part(repository.folder)).wanted_image(NAME)
    assert found.image == "phenoapp/cache-manager:1.5.0"
    assert found.commit == wanted_commit
    assert found.committed_at.tzinfo is not None


def test_a_remote_is_fetched_and_fetched_again(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = InfraRepo(part(f"file://{repository.folder}"))
    assert remote.wanted_image(NAME).image.endswith(":1.4.2")
    commit = repository.write(manifest("1.6.0"))
    assert remote.wanted_image(NAME).image.endswith(":1.4.2"), "within a minute nothing is fetched again"
    monkeypatch.setattr(git_file, "_FRESH_SECONDS", 0)
    found = remote.wanted_image(NAME)
    assert (found.image, found.commit) == ("phenoapp/cache-manager:1.6.0", commit)
    (only,) = [entry for entry in (paths.cache() / "infra-repo").iterdir() if entry.is_dir()]
    assert only


def test_a_clones_remote_branch_counts_where_it_is_younger(repository: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(repository.folder), str(clone)], check=True, capture_output=True)
    repository.write(manifest("2.0.0"))
    assert InfraRepo(part(clone)).wanted_image(NAME).image.endswith(":1.4.2")
    subprocess.run(["git", "-C", str(clone), "fetch", "-q"], check=True)
    # A second lies between the commits only where the clock says so; the order of dates decides.
    subprocess.run(["git", "-C", str(clone), "update-ref", "-d", "refs/heads/trunk"], check=True)
    assert InfraRepo(part(clone)).wanted_image(NAME).image.endswith(":2.0.0")


def test_what_is_not_set_is_named(repository: Repository) -> None:
    with pytest.raises(ConfigurationError, match="remote is empty"):
        InfraRepo(part("")).wanted_image(NAME)
    with pytest.raises(ConfigurationError, match="path is empty"):
        InfraRepo(part(repository.folder, path="")).wanted_image(NAME)


def test_no_git_is_said(repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="no git"):
        InfraRepo(part(repository.folder)).wanted_image(NAME)


def test_no_clone_and_no_repository_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no clone"):
        InfraRepo(part(tmp_path / "nothing")).wanted_image(NAME)
    (tmp_path / "plain").mkdir()
    with pytest.raises(ConfigurationError, match="not a Git repository"):
        InfraRepo(part(tmp_path / "plain")).wanted_image(NAME)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_branch_that_is_not_there_is_named(repository: Repository, scheme: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        InfraRepo(part(f"{scheme}{repository.folder}", branch="trunc")).wanted_image(NAME)
    assert "no branch 'trunc'" in caught.value.message
    if not scheme:
        assert "Did you mean 'trunk'?" in caught.value.hint


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_path_that_is_not_there_names_the_nearest(repository: Repository, scheme: str) -> None:
    wrong = PATH.replace("cache-manager", "cache-manger")
    with pytest.raises(ConfigurationError) as caught:
        InfraRepo(part(f"{scheme}{repository.folder}", path=wrong)).wanted_image(NAME)
    assert PATH in caught.value.hint


def test_a_cronjob_that_is_not_there_names_those_that_are(repository: Repository) -> None:
    with pytest.raises(NotFound) as caught:
        InfraRepo(part(repository.folder)).wanted_image("rp006-cronjob")
    assert NAME in caught.value.hint


@pytest.mark.parametrize("text", ["a: [", "{{ if .Values.x }}\nkind: CronJob\n", "\x00\x01"])
def test_bad_yaml_is_said_with_its_file(repository: Repository, text: str) -> None:
    repository.write(text)
    with pytest.raises(Failed) as caught:
        InfraRepo(part(repository.folder)).wanted_image(NAME)
    assert PATH in caught.value.message


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "kind: CronJob\nmetadata: 3\n", "kind: CronJob\nspec: [1]\n"])
def test_odd_documents_are_passed_over(repository: Repository, text: str) -> None:
    repository.write(text + "\n---\n" + manifest("3.0.0"))
    assert InfraRepo(part(repository.folder)).wanted_image(NAME).image.endswith(":3.0.0")


def test_a_remote_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        InfraRepo(part(f"file://{tmp_path / 'nothing'}")).wanted_image(NAME)
    assert "cannot be read" in caught.value.message
    assert not list((paths.cache() / "infra-repo").glob("*.*.*")), "nothing half made is left"


def fake_git(tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that does what a refusing server or a broken network would make it do."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text("#!/bin/sh\n" + script)
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_remote_that_lets_nobody_in_is_not_allowed_and_keeps_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = "https://sesame-open@git.example/eng-infrastructure.git"
    fake_git(tmp_path, f"echo \"fatal: Authentication failed for '{remote}/'\" >&2; exit 128", monkeypatch)
    with pytest.raises(NotAllowed) as caught:
        InfraRepo(part(remote)).wanted_image(NAME)
    everything = f"{caught.value} {caught.value.hint} {caught.value.by_hand} {InfraRepo(part(remote)).by_hand}"
    assert "sesame-open" not in everything
    assert "git.example" in everything


def test_a_password_in_the_address_is_refused_before_git_sees_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        InfraRepo(part("https://me:sesame-open@git.example/x.git")).wanted_image(NAME)
    assert "sesame-open" not in f"{caught.value} {caught.value.hint}"


def test_git_never_waits_for_an_answer_and_dies_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_file, "_FETCH_SECONDS", 0.5)
    fake_git(tmp_path, 'test "$GIT_TERMINAL_PROMPT" = 0 || exit 3; sleep 600 & wait', monkeypatch)
    with pytest.raises(TimedOut):
        InfraRepo(part("https://git.example/x.git")).wanted_image(NAME)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_the_history_says_which_commit_set_an_image_last(repository: Repository, scheme: str) -> None:
    commits = [repository.write(manifest(tag)) for tag in ("1.9", "1.10", "1.9")]
    repository.write("schedule: changed\n---\n" + manifest("1.9"))
    repo = InfraRepo(part(f"{scheme}{repository.folder}"))
    found = repo.history(NAME, ("phenoapp/cache-manager:1.10",))
    newest, middle = found.setter(["phenoapp/cache-manager:1.9"]), found.setter(["phenoapp/cache-manager:1.10"])
    assert newest is not None
    assert middle is not None
    assert (newest.commit, middle.commit) == (commits[2], commits[1])
    assert [one.commit for one in repo.between(middle, newest)] == [commits[2]]
    assert found.setter(["phenoapp/cache-manager:7"]) is None
    assert repo.images_at(commits[1], NAME, PATH) == ("phenoapp/cache-manager:1.10",)
    assert repo.has(commits[0])
    assert not repo.has("0" * 40)


def test_where_a_shallow_history_ends_nothing_was_set(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    set_by = repository.write(manifest("1.5.0"))
    for number in range(4):
        repository.write(f"{number}\n", "README.md")
    monkeypatch.setattr(infra_history, "DEPTHS", (2,))
    remote = InfraRepo(part(f"file://{repository.folder}"))
    assert remote.history(NAME).setter(["phenoapp/cache-manager:1.5.0"]) is None
    monkeypatch.setattr(infra_history, "DEPTHS", (2, 0))
    setter = remote.history(NAME).setter(["phenoapp/cache-manager:1.5.0"])
    assert setter is not None
    assert setter.commit == set_by
    monkeypatch.setattr(git_file, "_FRESH_SECONDS", 0)
    repository.write("more\n", "README.md")
    assert remote.wanted_image(NAME).commit == set_by, "what was fetched of the history stays"


def test_a_file_that_was_moved_is_read_where_it_is(repository: Repository) -> None:
    (repository.folder / "kube/prod").mkdir()
    repository.git("mv", PATH, "kube/prod/cache-manager.yaml")
    repository.git("commit", "-qm", "Move it")
    found = InfraRepo(part(repository.folder)).wanted_image(NAME)
    assert (found.image, found.path) == ("phenoapp/cache-manager:1.4.2", "kube/prod/cache-manager.yaml")
    assert "correct infra_repo.path" in found.note
