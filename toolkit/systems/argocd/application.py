"""What Argo CD says of an application: frozen values out of its JSON, missing fields forgiven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Application:
    """An application. `sync` is Synced, OutOfSync or Unknown, as compared with `revision`; `deployed` is the revision
    that was last synced, at `deployed_at`. `images` are those of the pods that it can see: pods, not templates.
    `automated`: it syncs by itself. `problems` are its conditions, and what became of an operation that failed."""

    name: str
    namespace: str
    project: str
    sync: str
    health: str
    revision: str
    deployed: str
    deployed_at: datetime | None
    compared_at: datetime | None
    images: tuple[str, ...]
    automated: bool
    operation: str = ""
    problems: tuple[str, ...] = ()


def read_application(found: Mapping[str, Any]) -> Application:
    metadata, spec, status = (_table(found.get(key)) for key in ("metadata", "spec", "status"))
    sync, operation = _table(status.get("sync")), _table(status.get("operationState"))
    history = [one for one in status.get("history") or () if isinstance(one, dict)]
    last: Mapping[str, Any] = max(history, key=lambda one: int(one.get("id") or 0), default={})
    conditions = [_table(one) for one in status.get("conditions") or ()]
    problems = [f"{one.get('type', '')}: {one.get('message', '')}" for one in conditions]
    phase = str(operation.get("phase") or "")
    if phase in ("Failed", "Error"):
        problems.append(f"the last sync {phase.lower()}: {operation.get('message') or 'no reason is given'}")
    return Application(
        name=str(metadata.get("name", "")),
        namespace=str(metadata.get("namespace", "")),
        project=str(spec.get("project") or "default"),
        sync=str(sync.get("status") or "Unknown"),
        health=str(_table(status.get("health")).get("status") or "Unknown"),
        revision=_revision(sync),
        deployed=_revision(last),
        deployed_at=_time(last.get("deployedAt")),
        compared_at=_time(status.get("reconciledAt")),
        images=tuple(sorted(str(one) for one in _table(status.get("summary")).get("images") or ())),
        automated=bool(_table(spec.get("syncPolicy")).get("automated") is not None),
        operation=phase,
        problems=tuple(" ".join(one.split())[:400] for one in problems),
    )


def _revision(found: Mapping[str, Any]) -> str:
    """Of an application with several sources the first revision: eng-infrastructure comes first, or alone."""
    several = found.get("revisions")
    return str(found.get("revision") or (several[0] if isinstance(several, list) and several else ""))


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
