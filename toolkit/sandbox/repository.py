"""The sandbox's eng-infrastructure: a real Git repository that says which image the cache managers should run."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from toolkit.sandbox import auto_loader, git, manifests
from toolkit.sandbox.git import BRANCH
from toolkit.sandbox.images import TAGS, set_at
from toolkit.sandbox.places import IMAGE_TAG, PLACES, Place

__all__ = ["BRANCH", "DIRECTORY", "bump", "changes_of", "create", "declared_at", "head", "move", "restore"]

DIRECTORY = "eng-infrastructure"


def create(directory: Path, now: datetime) -> bool:
    """Make the repository in `directory`, new, with a commit per image tag, and those of the group auto-loader's
    settings. False where there is no git here."""

    def tagged(tag: str) -> None:
        for place in PLACES:
            _write(directory, place, tag)

    tags = [git.Commit(set_at(tag, now), f"cache-manager: {tag}", partial(tagged, tag)) for tag in TAGS]
    readme = "# eng-infrastructure\n\nWhat runs where. Argo CD follows `trunk`.\n"
    return git.create(directory, readme, [*tags, *auto_loader.commits_to_production(directory, now)])


def move(directory: Path, manifest: str, cluster: str) -> None:
    """Commit that the cache manager of `manifest` is deployed to `cluster` from now on."""
    parts = manifest.split("/")
    target = "/".join([parts[0], cluster, *parts[2:]])
    (directory / target).parent.mkdir(parents=True, exist_ok=True)
    (directory / manifest).rename(directory / target)
    git.commit(directory, f"cache-manager: move to {cluster}", datetime.now(UTC))


def bump(directory: Path, manifest: str, tag: str, when: datetime) -> str:
    """Commit that the cache manager of `manifest` is to run `tag`; gives back the commit."""
    import yaml

    file = directory / manifest
    declared = yaml.safe_load(file.read_text("utf-8"))
    for container in declared["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]:
        container["image"] = f"{container['image'].rpartition(':')[0]}:{tag}"
    file.write_text(yaml.safe_dump(declared, sort_keys=False), "utf-8")
    git.commit(directory, f"cache-manager: {tag}", max(when, git.newest(directory, when)))
    return head(directory)


def head(directory: Path) -> str:
    """The newest commit of trunk; "" where there is no git."""
    return git.git(directory, "rev-parse", BRANCH).strip() if git.is_repository(directory) else ""


def declared_at(directory: Path, manifest: str, revision: str = BRANCH) -> dict[str, Any] | None:
    """What the manifest says at the revision; None where there is none, or it is no YAML."""
    import yaml

    try:
        if git.is_repository(directory):
            text = git.git(directory, "show", f"{revision}:{manifest}")
        else:
            text = (directory / manifest).read_text("utf-8")
        found = yaml.safe_load(text)
    except (subprocess.CalledProcessError, OSError, yaml.YAMLError):
        return None
    return found if isinstance(found, dict) else None


def changes_of(directory: Path, manifest: str) -> list[tuple[str, datetime]]:
    """The commits of a healthy trunk that changed the manifest, the oldest first, with their times."""
    if not git.is_repository(directory):
        return []
    told = git.git(directory, "log", "--reverse", "--format=%H %cI", git.HEALTHY, "--", manifest)
    return [(line.split()[0], datetime.fromisoformat(line.split()[1])) for line in told.splitlines()]


def restore(directory: Path) -> None:
    """Everything as it was when it was made: trunk at its healthy commit, each manifest where it belongs."""
    if git.restore(directory):
        return
    for place in PLACES:
        for moved in (directory / "kube").glob(f"*/{'/'.join(place.manifest.split('/')[2:])}"):
            moved.unlink()
        _write(directory, place, IMAGE_TAG)


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
