"""What the group auto-loader is told: its settings in configome, a real Git repository of its own, and production's in
eng-infrastructure. The lists follow from the groups that were built; trunk may ask for one that configome lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.sandbox import builds, git
from toolkit.sandbox.places import PLACES, Place, scheduled_runs

if TYPE_CHECKING:
    from toolkit.sandbox.sites import Site

DIRECTORY = "configome"
KEY = "group-auto-loader.prod"
_MODEL = {"name": "phenoprint-resnet", "version": "4.2.0"}
_BEFORE_A_BUILD = timedelta(days=3)  # the list was changed so long before it
_SHORTLY = timedelta(minutes=20)


def create(directory: Path, now: datetime) -> bool:
    """Make configome in `directory`, new, with a commit for each change of the list."""
    commits = [
        git.Commit(when, _message(names), partial(_write_all, directory, names)) for when, names in _history(now)
    ]
    return git.create(directory, "# configome\n\nWhat the services are told.\n", commits)


def commits_to_production(directory: Path, now: datetime) -> list[git.Commit]:
    """The same changes, as they are made to production's settings in eng-infrastructure at `directory`."""
    return [git.Commit(when, _message(names), partial(_declare_all, directory, names)) for when, names in _history(now)]


def follow(configome: Path, infra: Path, site: Site) -> None:
    """Both lists become what they have to be for the groups that the site has, and for what trunk asks for."""
    wanted = _transformations(site)
    listed = [name for _, name, built in wanted if built]
    asked = [name for _, name, _ in wanted]
    latest = max(when for when, _, _ in wanted)
    place = site.place
    if _listed(configome / place.configome) != listed:
        _write(configome / place.configome, _settings(place, listed, dry_run=True), as_text=False)
        git.commit(configome, _message(listed), max(latest, git.newest(configome, latest)))
    if _listed(infra / place.loader_manifest) != asked:
        _write(infra / place.loader_manifest, _settings(place, asked, dry_run=False), as_text=True)
        git.commit(infra, _message(asked), max(latest, git.newest(infra, latest)))


def restore(configome: Path, infra: Path) -> None:
    """As it was when it was made."""
    if not git.restore(configome):
        _write_all(configome, builds.TRANSFORMATIONS[:1])
        _declare_all(infra, builds.TRANSFORMATIONS[:1])


def api(place: Place) -> str:
    """phenoservice-api of that environment; nothing listens there."""
    return f"https://phenoservice.{place.gcp_project}.example"


def _history(now: datetime) -> list[tuple[datetime, tuple[str, ...]]]:
    """Each change of the list, as the groups of the last weeks tell it."""
    last = scheduled_runs(now, 1)[0]
    found: list[tuple[datetime, tuple[str, ...]]] = []
    for week in reversed(range(builds.GROUPS)):
        names = (builds.TRANSFORMATIONS[week],)
        if not found or found[-1][1] != names:
            found.append((last - timedelta(weeks=week) - _BEFORE_A_BUILD, names))
    return found


def _transformations(site: Site) -> list[tuple[datetime, str, bool]]:
    """When each transformation came into the list, its name, and whether configome has it; in the list's order."""
    usual = site.usual[0]
    found = {builds.transformation_of(usual): (usual.built_at - 2 * _BEFORE_A_BUILD, True)}
    for group in sorted((*site.built_since, *site.groups), key=lambda one: one.built_at):
        name = builds.transformation_of(group)
        if group.built_at > usual.built_at and name not in found:
            found[name] = (group.built_at - _SHORTLY, True)
    for when, name in site.asked_for:
        found.setdefault(name, (when, False))
    return sorted((when, name, built) for name, (when, built) in found.items())


def _message(names: Sequence[str]) -> str:
    return f"group-auto-loader: {', '.join(names)}"


def _write_all(directory: Path, names: Sequence[str]) -> None:
    for place in PLACES:
        _write(directory / place.configome, _settings(place, names, dry_run=True), as_text=False)


def _declare_all(directory: Path, names: Sequence[str]) -> None:
    for place in PLACES:
        _write(directory / place.loader_manifest, _settings(place, names, dry_run=False), as_text=True)


def _settings(place: Place, names: Sequence[str], *, dry_run: bool) -> dict[str, Any]:
    return {
        "phenoservice-api": api(place),
        "dry_run": dry_run,
        "deep-learning-model": dict(_MODEL),
        "transformations": [f"_{name}" for name in names],
    }


def _write(file: Path, settings: dict[str, Any], *, as_text: bool) -> None:
    """configome's YAML; or with `as_text` a ConfigMap that has it as a text."""
    import yaml

    name, inner = KEY.split(".")
    document: dict[str, Any] = {name: {inner: settings}}
    if as_text:
        text = yaml.safe_dump(document, sort_keys=False)
        metadata = {"name": "group-auto-loader", "namespace": file.stem}
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"configome.yaml": text}}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.dump(document, Dumper=_dumper(), sort_keys=False), "utf-8")


def _listed(file: Path) -> list[str]:
    import yaml

    found = yaml.safe_load(file.read_text("utf-8"))
    if found.get("kind") == "ConfigMap":
        found = yaml.safe_load(found["data"]["configome.yaml"])
    name, inner = KEY.split(".")
    return [str(one).lstrip("_") for one in found[name][inner]["transformations"]]


def _dumper() -> Any:
    """Texts of several lines as people write them: after a |."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return Dumper
