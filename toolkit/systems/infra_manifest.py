"""Which image a manifest of eng-infrastructure asks for: YAML, of any number of documents, Lists among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.errors import Failed, NotFound


def images_of(text: str, cronjob: str, path: str) -> tuple[str, ...]:
    """The images of the containers of that CronJob; `path` is what errors call the file by.

    Raises Failed (no valid YAML, or no image), NotFound (no such CronJob).
    """
    import yaml

    try:
        found = dict(_cronjobs(yaml.safe_load_all(text)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise Failed(
            f"{path}{where} in eng-infrastructure is not valid YAML: {problem}.",
            hint="A template (Helm, Jinja) is not understood here; the plain manifest is needed.",
        ) from None
    if cronjob not in found:
        raise NotFound(
            f"{path} in eng-infrastructure defines no CronJob {cronjob}.",
            hint=f"It defines: {', '.join(found) or 'no CronJob at all'}. Is infra_repo.path the right file?",
        )
    if not found[cronjob]:
        raise Failed(f"CronJob {cronjob} in {path} of eng-infrastructure names no image.")
    return found[cronjob]


def _cronjobs(documents: Iterator[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name and images of each CronJob in the documents; whatever does not look like one is passed over."""
    for document in documents:
        if not isinstance(document, dict):
            continue
        if isinstance(document.get("items"), list):
            yield from _cronjobs(iter(document["items"]))
        if document.get("kind") == "CronJob":
            containers = _at(document, "spec", "jobTemplate", "spec", "template", "spec", "containers")
            name = _at(document, "metadata", "name")
            if isinstance(name, str):
                images = [one.get("image") for one in containers or () if isinstance(one, dict)]
                yield name, tuple(str(image) for image in images if image)


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
