"""Which clusters the toolkit has met: the UID of each one's namespace kube-system, remembered at the first meeting.

A context name can be pointed at another cluster; this UID cannot. Kept in `state()/clusters.json`, one entry for each
cluster of the configuration (and for each kubeconfig of its own, so that a sandbox is never taken for the real one).
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit import paths
from toolkit.environments import model
from toolkit.errors import ConfigurationError, Refused


def store() -> Path:
    return paths.state() / "clusters.json"


def recognise(name: str, part: model.Cluster, uid: str, address: str) -> datetime:
    """When this cluster was first met; met now for the first time, it is remembered.

    Raises Refused where the name belongs to a cluster with another UID.
    """
    from filelock import FileLock

    key = f"{name} {part.kubeconfig}".strip()
    with FileLock(str(store()) + ".lock", timeout=10):
        known = _read()
        entry = known.get(key)
        if entry is None:
            entry = {
                "uid": uid,
                "address": address,
                "context": part.context,
                "first_met": datetime.now(UTC).isoformat(),
            }
            _write({**known, key: entry})
    if entry["uid"] != uid:
        raise Refused(
            f"This is not the cluster that was {name} until now: its kube-system has the UID {uid}, and since "
            f"{entry['first_met'][:10]} {name} has been {entry['uid']} (at {entry['address']}).",
            hint=f"Does the context {part.context!r} point at the right cluster? If {name} was really rebuilt, "
            f"remove its entry {key!r} from {store()}; it is then met anew.",
        )
    return datetime.fromisoformat(entry["first_met"])


def _read() -> dict[str, Any]:
    try:
        known = json.loads(store().read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{store()}, where the clusters' identities are remembered, cannot be read: {error}.",
            hint="Remove it if it is broken: each cluster is then met anew.",
        ) from error
    whole = isinstance(known, dict) and all(
        isinstance(entry, dict) and {"uid", "address", "first_met"} <= entry.keys() for entry in known.values()
    )
    if not whole:
        raise ConfigurationError(
            f"{store()}, where the clusters' identities are remembered, is not as the toolkit writes it.",
            hint="Remove it: each cluster is then met anew.",
        )
    found: dict[str, Any] = known
    return found


def _write(known: dict[str, Any]) -> None:
    with tempfile.NamedTemporaryFile("w", dir=store().parent, delete=False, encoding="utf-8") as file:
        json.dump(known, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(store())
