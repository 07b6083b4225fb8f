"""The table of causes: what each needs, who judges it, what mends it, and whom to ask.

In the order in which they explain one another: what is found higher up comes first in a verdict.
"""

from __future__ import annotations

from toolkit.checks.diagnosis import access_causes, event_causes, group_causes, pert_causes, system_causes
from toolkit.checks.diagnosis.cause import Cause, action, runbook

HEALTHY = "healthy"

SETTINGS = (
    "Which group is chosen in the Group Label dropdown?",
    "Is the map split by experiment, or aggregated?",
    "Are the vectors normalized, or raw?",
    "At which concentration is the compound looked for?",
)

_REBUILD = action("cache.rebuild", "cache rebuild")
_VECTORS = ("vectors-healthy", "default-vectors-healthy")
_BUILDERS = "those who build the groups (the group auto-loader)"

CAUSES: tuple[Cause, ...] = (
    Cause(
        "vault-sealed",
        "Vault is sealed: the Redis token cannot be read.",
        ("vault",),
        system_causes.vault_sealed,
        (runbook("connect-to-redis"),),
        ours=False,
        ask="those who run Vault: only the holders of its unseal keys can open it",
    ),
    Cause(
        "token-rotated",
        "Redis has another token than Vault.",
        ("redis", "redis-token"),
        system_causes.token_rotated,
        (runbook("connect-to-redis"),),
        ours=False,
        ask="the owners of the managed Redis: to write the new token to Vault",
    ),
    Cause(
        "redis-flushed",
        "Redis was emptied, and no rebuild came after it.",
        ("groups-complete", "rebuild-running"),
        group_causes.redis_flushed,
        (_REBUILD, runbook("reload-the-groups")),
    ),
    Cause(
        "rebuild-running",
        "A rebuild is going on: some groups are not back yet.",
        ("rebuild-running", "groups-complete"),
        group_causes.rebuild_running,
        (runbook("verify-a-rebuild"),),
    ),
    Cause(
        "rebuild-failed",
        "The last rebuild died before it had written all groups.",
        ("last-rebuild", "groups-complete"),
        group_causes.rebuild_failed,
        (_REBUILD, runbook("rebuild-failed")),
    ),
    Cause(
        "half-written-group",
        "A group's folder in the bucket is incomplete.",
        ("groups-complete", "last-rebuild", "rebuild-running"),
        group_causes.half_written,
        (_REBUILD, runbook("rebuild-failed")),
    ),
    Cause(
        "group-evicted",
        "Newer groups pushed the group out of Redis; it is in the bucket alone.",
        ("group-in-cache", "groups-complete"),
        group_causes.group_evicted,
        (runbook("why-is-a-group-missing"),),
        ours=False,
        ask=f"{_BUILDERS}: whether the group is still wanted; the app offers the newest groups alone",
    ),
    Cause(
        "not-rebuilt-since-built",
        "The group was built after the last rebuild: no layer can have it yet.",
        ("built-since-rebuild", "group-in-cache"),
        event_causes.not_rebuilt,
        (_REBUILD, runbook("reload-the-groups")),
    ),
    Cause(
        "transformation-missing",
        "The auto-loader's list in configome lacks the transformation that makes the group: it was never built.",
        ("loader-transformation", "group-in-cache"),
        group_causes.transformation_missing,
        (runbook("why-is-a-group-missing", "--set group={group}"), runbook("loader-dry-run")),
        ours=False,
        ask=f"{_BUILDERS}: to list the transformation in configome, as production does (`toolkit loader check` has the "
        "difference)",
    ),
    Cause(
        "access-not-in-okta-group",
        "The person is in no Okta group that may get in.",
        ("access",),
        access_causes.not_in_okta_group,
        (runbook("why-cant-i-get-in", "--set who={who}"),),
        ours=False,
        ask="the security team: to add the person to the Okta group (`toolkit access check WHO --text` writes to them)",
    ),
    Cause(
        "pert-misspelled",
        "The perturbation has another name in the cache.",
        ("pert-in-cache",),
        pert_causes.misspelled,
        (runbook("why-is-a-pert-missing"),),
        ours=False,
        ask="whoever asked: did they mean the name that is there?",
    ),
    Cause(
        "wrong-concentration",
        "The compound was not screened at that concentration.",
        ("pert-in-cache",),
        pert_causes.wrong_concentration,
        (runbook("why-is-a-pert-missing"),),
        ours=False,
        ask="whoever asked: would one of the concentrations that are there do?",
    ),
    Cause(
        "pert-in-another-group",
        "The group that is looked at does not have the perturbation; another one does.",
        ("pert-in-cache", "groups-complete"),
        pert_causes.in_another_group,
        (runbook("why-is-a-pert-missing"),),
        ours=False,
        ask=f"whoever asked: to choose the other group; {_BUILDERS}: why the newest lacks it",
    ),
    Cause(
        "never-screened",
        "No group ever had the perturbation.",
        ("pert-in-cache",),
        pert_causes.never_screened,
        (runbook("why-is-a-pert-missing"),),
        ours=False,
        ask="whoever asked: in which screen was it? The screening team knows",
    ),
    Cause(
        "l1-stale",
        "The app's pods started before the last rebuild: they still serve the old default group.",
        ("app-pods",),
        group_causes.l1_stale,
        (action("app.restart", "app restart"), runbook("restart-the-app-after-a-rebuild")),
    ),
    Cause(
        "nan-vectors",
        "Some vectors are NaN: their rows in the map are blank.",
        _VECTORS,
        group_causes.nan,
        (runbook("why-does-the-map-look-funny"),),
        ours=False,
        ask=f"{_BUILDERS}: the group has to be built anew, a rebuild of the cache copies the same vectors",
    ),
    Cause(
        "vectors-denormalized",
        "Normalized vectors are not of length 1: their cosines are wrong.",
        _VECTORS,
        group_causes.denormalized,
        (runbook("why-does-the-map-look-funny"),),
        ours=False,
        ask=f"{_BUILDERS}: the last transformation must bring vectors back to length 1",
    ),
    Cause(
        "wrong-cluster",
        "The cache manager's CronJob is in another cluster than configured.",
        ("cache-manager-place",),
        system_causes.wrong_cluster,
        (runbook("reload-the-groups"),),
    ),
    Cause(
        "image-drift",
        "The cache manager's CronJob has another image than eng-infrastructure asks for.",
        ("image",),
        system_causes.image_drift,
        (runbook("is-it-the-right-image"),),
        ours=False,
        ask="whoever may sync the application in Argo CD (`toolkit image check` has link and command); before that, "
        "the author of the commit: is it meant to be out?",
    ),
    Cause(
        "proxy-moved",
        "The Redis proxy has another address than configured.",
        ("proxy-address",),
        system_causes.proxy_moved,
        (runbook("connect-to-redis"),),
    ),
)
