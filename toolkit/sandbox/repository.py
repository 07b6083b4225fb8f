"""The sandbox's eng-infrastructure: a real Git repository that says which image the cache managers should run."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from toolkit.sandbox import manifests
from toolkit.sandbox.places import IMAGE_TAG, OLDER_IMAGE_TAGS, PLACES, Place

BRANCH = "trunk"


def create(directory: Path, now: datetime) -> bool:
    """Make the repository in `directory`, new, with a commit per image tag. False where there is no git here."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    if shutil.which("git") is None:
        for place in PLACES:
            _write(directory, place, IMAGE_TAG)
        return False
    _git(directory, "init", "--quiet", f"--initial-branch={BRANCH}")
    (directory / "README.md").write_text("# eng-infrastructure\n\nWhat runs where. Argo CD follows `trunk`.\n", "utf-8")
    tags = (*OLDER_IMAGE_TAGS, IMAGE_TAG)
    for number, tag in enumerate(tags):
        for place in PLACES:
            _write(directory, place, tag)
        _commit(directory, f"cache-manager: {tag}", now - timedelta(days=9 + 16 * (len(tags) - 1 - number)))
    return True


def move(directory: Path, manifest: str, cluster: str) -> None:
    """Commit that the cache manager of `manifest` is deployed to `cluster` from now on."""
    parts = manifest.split("/")
    target = "/".join([parts[0], cluster, *parts[2:]])
    (directory / target).parent.mkdir(parents=True, exist_ok=True)
    (directory / manifest).rename(directory / target)
    _commit(directory, f"cache-manager: move to {cluster}", datetime.now(UTC))


def restore(directory: Path) -> None:
    """Commit that every cache manager is deployed where it belongs, where one was moved."""
    if all((directory / place.manifest).is_file() for place in PLACES):
        return
    for place in PLACES:
        if not (directory / place.manifest).is_file():
            for moved in (directory / "kube").glob(f"*/{'/'.join(place.manifest.split('/')[2:])}"):
                moved.unlink()
            _write(directory, place, IMAGE_TAG)
    _commit(directory, "cache-manager: move back", datetime.now(UTC))


def _commit(directory: Path, message: str, when: datetime) -> None:
    if (directory / ".git").is_dir():
        _git(directory, "add", "--all")
        _git(directory, "commit", "--quiet", "--message", message, when=when)


def _write(directory: Path, place: Place, tag: str) -> None:
    import yaml

    file = directory / place.manifest
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(_declared(place, tag), sort_keys=False), "utf-8")


def _declared(place: Place, tag: str) -> dict[str, Any]:
    """The CronJob as it stands in the repository: without what the cluster adds."""
    found = manifests.cronjob(place, datetime.fromtimestamp(0, UTC), tag=tag)
    metadata = {key: found["metadata"][key] for key in ("name", "namespace", "labels")}
    return {"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": metadata, "spec": found["spec"]}


def _git(directory: Path, *arguments: str, when: datetime | None = None) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    if when is not None:
        for role in ("AUTHOR", "COMMITTER"):
            environment |= {
                f"GIT_{role}_NAME": "eng-infrastructure",
                f"GIT_{role}_EMAIL": "eng-infrastructure@sandbox.invalid",
                f"GIT_{role}_DATE": when.isoformat(),
            }
    subprocess.run(["git", *arguments], cwd=directory, env=environment, check=True, capture_output=True, timeout=30)
