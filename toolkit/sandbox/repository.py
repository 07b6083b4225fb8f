"""The sandbox's eng-infrastructure: a real Git repository that says which image the cache managers should run."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit.sandbox import manifests
from toolkit.sandbox.images import TAGS, set_at
from toolkit.sandbox.places import IMAGE_TAG, PLACES, Place

BRANCH = "trunk"
DIRECTORY = "eng-infrastructure"
_HEALTHY = "healthy"  # the tag of the commit that a healthy world stands at


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
    for tag in TAGS:
        for place in PLACES:
            _write(directory, place, tag)
        _commit(directory, f"cache-manager: {tag}", set_at(tag, now))
    _git(directory, "tag", _HEALTHY)
    return True


def move(directory: Path, manifest: str, cluster: str) -> None:
    """Commit that the cache manager of `manifest` is deployed to `cluster` from now on."""
    parts = manifest.split("/")
    target = "/".join([parts[0], cluster, *parts[2:]])
    (directory / target).parent.mkdir(parents=True, exist_ok=True)
    (directory / manifest).rename(directory / target)
    _commit(directory, f"cache-manager: move to {cluster}", datetime.now(UTC))


def bump(directory: Path, manifest: str, tag: str, when: datetime) -> str:
    """Commit that the cache manager of `manifest` is to run `tag`; gives back the commit."""
    import yaml

    file = directory / manifest
    declared = yaml.safe_load(file.read_text("utf-8"))
    for container in declared["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]:
        container["image"] = f"{container['image'].rpartition(':')[0]}:{tag}"
    file.write_text(yaml.safe_dump(declared, sort_keys=False), "utf-8")
    _commit(directory, f"cache-manager: {tag}", max(when, _newest(directory, when)))
    return head(directory)


def head(directory: Path) -> str:
    """The newest commit of trunk; "" where there is no git."""
    return _git(directory, "rev-parse", BRANCH).strip() if (directory / ".git").is_dir() else ""


def declared_at(directory: Path, manifest: str, revision: str = BRANCH) -> dict[str, Any] | None:
    """What the manifest says at the revision; None where there is none, or it is no YAML."""
    import yaml

    try:
        if (directory / ".git").is_dir():
            text = _git(directory, "show", f"{revision}:{manifest}")
        else:
            text = (directory / manifest).read_text("utf-8")
        found = yaml.safe_load(text)
    except (subprocess.CalledProcessError, OSError, yaml.YAMLError):
        return None
    return found if isinstance(found, dict) else None


def changes_of(directory: Path, manifest: str) -> list[tuple[str, datetime]]:
    """The commits of a healthy trunk that changed the manifest, the oldest first, with their times."""
    if not (directory / ".git").is_dir():
        return []
    told = _git(directory, "log", "--reverse", "--format=%H %cI", _HEALTHY, "--", manifest)
    return [(line.split()[0], datetime.fromisoformat(line.split()[1])) for line in told.splitlines()]


def restore(directory: Path) -> None:
    """Everything as it was when it was made: trunk at its healthy commit, each manifest where it belongs."""
    if (directory / ".git").is_dir():
        _git(directory, "reset", "--quiet", "--hard", _HEALTHY)
        _git(directory, "clean", "-qfd")
        return
    for place in PLACES:
        for moved in (directory / "kube").glob(f"*/{'/'.join(place.manifest.split('/')[2:])}"):
            moved.unlink()
        _write(directory, place, IMAGE_TAG)


def _newest(directory: Path, otherwise: datetime) -> datetime:
    if not (directory / ".git").is_dir():
        return otherwise
    return datetime.fromisoformat(_git(directory, "log", "-1", "--format=%cI", BRANCH).strip())


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


def _git(directory: Path, *arguments: str, when: datetime | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    if when is not None:
        for role in ("AUTHOR", "COMMITTER"):
            environment |= {
                f"GIT_{role}_NAME": "eng-infrastructure",
                f"GIT_{role}_EMAIL": "eng-infrastructure@sandbox.invalid",
                f"GIT_{role}_DATE": when.isoformat(),
            }
    done = subprocess.run(
        ["git", *arguments], cwd=directory, env=environment, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout
