"""Findings of a diagnosis, made up: their facts are those that the real checks give, so the real verdict is reached."""

from __future__ import annotations

from typing import Any

from toolkit.checks.finding import Finding, Status

GROUPS = ["rp006_2025w47_prox_bias_reduced", "rp006_2025w46_prox_bias_reduced", "rp006_2025w45_centerscale"]
_PLACE = {"cluster": "prod-cluster", "namespace": "phenoapp"}
_IMAGE = ["phenoapp/cache-manager:2025.11.3"]
_VECTORS = {
    "rows": 566, "total": 566, "not_unit": 0, "nan": 0, "zero": 0, "frames": ["genes_normalized"],
    "group": GROUPS[0], "layer": "L2",
}  # fmt: skip
HEALTHY: dict[str, dict[str, Any]] = {
    "recent-changes": {"changes": []},
    "proxy-address": {"configured": "10.20.30.40:6379", "actual": "10.20.30.40:6379", "moved": False},
    "vault": {"sealed": False, "initialized": True, "address": "http://127.0.0.1:8200"},
    "redis-token": {"readable": True},
    "redis": {"token_taken": True},
    "rebuild-running": {"running": [], "minutes": 0.0},
    "last-rebuild": {
        "job": "rp006-neuro-cache-manager-rxrx-cronjob-29370", "state": "complete", "reason": "", "pod_reason": "",
        "exception": "", "log": False, "finished": "2025-11-21T01:57:00+00:00", "manual": False,
    },
    "cache-manager-place": {"in_place": True, "configured": _PLACE, "found": _PLACE, "unasked": [], "suspended": False},
    "image": {
        "match": "same", "wanted": _IMAGE, "running": _IMAGE, "ran": _IMAGE, "since": "", "behind": 0,
        "sync": "Synced", "health": "Healthy", "places": [],
    },
    "app-pods": {
        "deployment": "dash-phenoapp-v2", "pods": 3, "ready": 3, "stale": [], "unready": [], "told": True,
        "rebuilt": "2025-11-21T01:57:00Z", "rolled_out": True,
    },
    "groups-complete": {
        "usual": 3, "expected": 8, "index": GROUPS, "l2_empty": False, "l2_short": {}, "l3_groups": GROUPS,
        "l3_short": {},
    },
    "group-in-cache": {
        "group": GROUPS[0], "known": True, "near": [], "rank": 1, "l2_frames": 8, "l3_frames": 8, "expected": 8,
    },
    "pert-in-cache": {
        "pert": "BRCA1", "concentration": None, "group": GROUPS[0], "asked": False, "in_group": True, "groups": GROUPS,
        "absent": [], "alike": [], "near": [], "at": [], "group_unread": 0, "unread": 0, "layers": 0,
    },
    "built-since-rebuild": {
        "configured": True, "group": GROUPS[0], "event_time": "2025-11-20T15:56:00Z", "event_at": "0:4",
        "searched_since": "2025-08-24T00:00:00Z", "rebuild_began": "2025-11-21T01:00:00Z",
        "rebuild_ended": "2025-11-21T01:57:00Z", "running_since": None, "after": False, "since": [],
    },
    "loader-transformation": {
        "configured": True, "group": GROUPS[0], "release": "rp006_2025w47", "transformation": "_prox_bias_reduced",
        "in_configome": True, "in_production": True, "near": "", "since": None,
    },
    "vectors-healthy": _VECTORS,
    "default-vectors-healthy": _VECTORS,
    "access": {"who": "ana", "allowed": True, "verdict": "allowed", "wanted": [], "alike": [], "ask": ""},
}  # fmt: skip


def finding(name: str, status: Status, summary: str, hint: str = "", **changed: Any) -> Finding:
    facts = {} if status is Status.UNKNOWN else {**HEALTHY[name], **changed}
    return Finding(name, status, summary, hint, 0.12, by_hand=(f"look --at {name}",), facts=facts)


def well(name: str) -> Finding:
    return finding(name, Status.OK, f"{name} is as it should be")


def diagnosis(case: str) -> dict[str, Finding]:
    """The findings of that case which are not as they should be."""
    if case == "redis-flushed":
        empty = {"l2_empty": True, "index": [], "l2_short": {}}
        found = [
            finding("groups-complete", Status.FAIL, "Redis holds no group; the bucket holds 3", **empty),
            finding("group-in-cache", Status.WARN, f"{GROUPS[0]} is in the bucket alone", l2_frames=0, rank=None),
        ]
    else:
        hint = "Is your VPN up?"
        found = [finding("vault", Status.UNKNOWN, "Vault does not answer at http://127.0.0.1:8200", hint)]
    return {one.name: one for one in found}
