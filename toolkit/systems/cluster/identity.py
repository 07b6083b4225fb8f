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

from toolkit import paths
from toolkit.environments import model
from toolkit.errors import ConfigurationError, Refused, Unreachable


def store() -> Path:
    return paths.state() / "clusters.json"


def recognise(name: str, part: model.Cluster, uid: str, address: str) -> datetime:
    """When this cluster was first met; met now for the first time, it is remembered.

    Raises Refused where the name belongs to a cluster with another UID.
    """
    key = f"{name} {part.kubeconfig}".strip()
    met = {"uid": uid, "address": address, "context": part.context, "first_met": datetime.now(UTC).isoformat()}
    entry = _remembered(key, met)
    if entry["uid"] != uid:
        raise Refused(
            f"This is not the cluster that was {name} until now: its kube-system has the UID {uid}, and since "
            f"{entry['first_met'][:10]} {name} has been {entry['uid']} (at {entry['address']}).",
            hint=f"Does the context {part.context!r} point at the right cluster? If {name} was really rebuilt, "
            f"remove its entry {key!r} from {store()}; it is then met anew.",
        )
    return datetime.fromisoformat(entry["first_met"])


def _remembered(key: str, met: dict[str, str]) -> dict[str, str]:
    """What is known under `key`; nothing yet: `met`, and that is written down."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(str(store()) + ".lock", timeout=10):
            known = _read()
            if key not in known:
                known[key] = met
                _write(known)
            return known[key]
    except Timeout:
        raise Unreachable(f"{store()} has been locked by another toolkit for too long.") from None
    except OSError as error:
        raise ConfigurationError(f"{store()} cannot be written: {error.strerror}.") from error


def _read() -> dict[str, dict[str, str]]:
    try:
        known = json.loads(store().read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{store()}, where the clusters' identities are remembered, cannot be read: {error}.",
            hint="Remove it if it is broken: each cluster is then met anew.",
        ) from error
    if not isinstance(known, dict) or not all(_is_entry(entry) for entry in known.values()):
        raise ConfigurationError(
            f"{store()}, where the clusters' identities are remembered, is not as the toolkit writes it.",
            hint="Remove it: each cluster is then met anew.",
        )
    return known


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict) or not all(
        isinstance(entry.get(key), str) for key in ("uid", "address", "first_met")
    ):
        return False
    try:
        return datetime.fromisoformat(entry["first_met"]).tzinfo is not None
    except ValueError:
        return False


def _write(known: dict[str, dict[str, str]]) -> None:
    with tempfile.NamedTemporaryFile("w", dir=store().parent, delete=False, encoding="utf-8") as file:
        json.dump(known, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(store())
