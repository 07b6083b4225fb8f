"""The Job that starts a CronJob by hand: exactly what `kubectl create job NAME --from=cronjob/X` sends."""

from __future__ import annotations

import copy
import secrets
from typing import Any, Final

from toolkit.systems.cluster.objects import MANUAL, CronJob

_LONGEST_NAME: Final = 63  # a Job's name becomes the value of its pods' label job-name
_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_MIDDLE: Final = "-manual-"


def manual_job(cronjob: CronJob, name: str) -> dict[str, Any]:
    """The manifest: the template's labels, annotations and spec, marked as started by hand, owned by the CronJob.

    As in kubectl's create_job.go, an annotation of the template wins, and blockOwnerDeletion is not set (it would need
    the right to change the CronJob's finalizers).
    """
    metadata = cronjob.template.get("metadata") or {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": cronjob.namespace,
            "annotations": {MANUAL: "manual", **(metadata.get("annotations") or {})},
            "labels": dict(metadata.get("labels") or {}),
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "CronJob",
                    "name": cronjob.name,
                    "uid": cronjob.uid,
                    "controller": True,
                }
            ],
        },
        "spec": copy.deepcopy(cronjob.template.get("spec") or {}),
    }


def manual_name(cronjob: str) -> str:
    """A name for a run by hand: the CronJob's, cut so that the whole has at most 63 characters, and a random ending."""
    return _stem(cronjob, 6) + "".join(secrets.choice(_ALPHABET) for _ in range(6))


def typed_name(cronjob: str) -> str:
    """The same for a command by hand: the shell puts the time where the random letters would be."""
    return _stem(cronjob, 10) + "$(date +%s)"


def _stem(cronjob: str, room: int) -> str:
    return cronjob[: _LONGEST_NAME - len(_MIDDLE) - room].rstrip("-.") + _MIDDLE
