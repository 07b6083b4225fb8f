"""The sandbox's two environments: what is called how, and in which of the three clusters it lives.

`sandbox` is like RP006: its cache manager and its Redis proxy are in `prod-cluster`, its app in `rp006-prod`.
`sandbox-mapapp` is like MapApp: all of it is in `principal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

CLUSTERS = ("principal", "rp006-prod", "prod-cluster")
SCHEDULE = "0 18 * * 4"
TIME_ZONE = "America/Denver"
INDEX_KEY = "available-groups"
GROUPS_IN_REDIS = 3
IMAGE_TAG = "v3.41.2"
OLDER_IMAGE_TAGS = ("v3.40.0", "v3.41.0")


@dataclass(frozen=True, slots=True)
class Place:
    """One environment of the sandbox. `pinned`: its configuration names the proxy's address, else it is looked up.
    `url` is what users type; with `pomerium` that is Pomerium's route, else Catalyst's. `topic` is where phenoservice
    tells of new groups, and `consumer_groups` who listens."""

    name: str
    title: str
    groups_prefix: str
    seed: int
    gcp_project: str
    bucket: str
    vault_path: str
    cache_manager_cluster: str
    cache_manager_namespace: str
    cronjob: str
    app_cluster: str
    app_namespace: str
    manifest: str
    argocd_application: str
    pinned: bool
    url: str
    pomerium: bool
    topic: str
    consumer_groups: tuple[str, ...]
    side_panel_bucket: str

    @property
    def deployment(self) -> str:
        return "dash-phenoapp-v2"

    @property
    def configome(self) -> str:
        """Where the group auto-loader's settings stand in configome."""
        return f"{self.app_namespace}/configome.yaml"

    @property
    def loader_manifest(self) -> str:
        """Where production's settings of the group auto-loader stand in eng-infrastructure."""
        return f"kube/{self.cache_manager_cluster}/group-auto-loader/{self.app_namespace}.yaml"

    @property
    def frames_in_memory(self) -> int:
        return 6


RP006 = Place(
    name="sandbox",
    title="Sandbox of RP006",
    groups_prefix="rp006",
    seed=6,
    gcp_project="sandbox-rp006-prod",
    bucket="sandbox-rp006-neuro-cache",
    vault_path="phenoapp/managed_redis",
    cache_manager_cluster="prod-cluster",
    cache_manager_namespace="rp006-neuro",
    cronjob="rp006-neuro-cache-manager-rxrx-cronjob",
    app_cluster="rp006-prod",
    app_namespace="rp006-neuro",
    manifest="kube/prod-cluster/rp006-neuro/cache-manager.yaml",
    argocd_application="rp006-neuro-cache-manager-rxrx-cronjob-config",
    pinned=True,
    url="https://rp006.map.example",
    pomerium=True,
    topic="rp006.phenoservice.group-created",
    consumer_groups=("rp006-group-notifier", "rp006-cache-warmer"),
    side_panel_bucket="sandbox-rp006-side-panel",
)

MAPAPP = Place(
    name="sandbox-mapapp",
    title="Sandbox of MapApp",
    groups_prefix="rxrx",
    seed=2,
    gcp_project="sandbox-principal",
    bucket="sandbox-phenoapp-cache",
    vault_path="phenoapp/principal/managed_redis",
    cache_manager_cluster="principal",
    cache_manager_namespace="dash-phenoapp-v2",
    cronjob="dash-phenoapp-v2-cache-manager-rxrx-cronjob",
    app_cluster="principal",
    app_namespace="dash-phenoapp-v2",
    manifest="kube/principal/dash-phenoapp-v2/cache-manager.yaml",
    argocd_application="dash-phenoapp-v2-cache-manager-rxrx-cronjob-config",
    pinned=False,
    url="https://map.example",
    pomerium=False,
    topic="phenoservice.group-created",
    consumer_groups=("group-notifier",),
    side_panel_bucket="sandbox-phenoapp-side-panel",
)

PLACES = (RP006, MAPAPP)


def last_monday_night(now: datetime) -> datetime:
    """When the GO terms were last due (UTC), and have had the night to be generated."""
    here = now.astimezone(ZoneInfo(TIME_ZONE)) - timedelta(hours=10)
    night = here.replace(hour=22, minute=0, second=0, microsecond=0)
    night -= timedelta(days=night.weekday())
    return (night if night <= here else night - timedelta(days=7)).astimezone(UTC)


def scheduled_runs(now: datetime, count: int) -> list[datetime]:
    """The last `count` times (UTC, newest first) at which the cache manager was due, and has had time to end."""
    here = now.astimezone(ZoneInfo(TIME_ZONE)) - timedelta(hours=3)
    day = here.replace(hour=18, minute=0, second=0, microsecond=0)
    day -= timedelta(days=(day.weekday() - 3) % 7)  # Thursday
    if day > here:
        day -= timedelta(days=7)
    # Local arithmetic: it stays 18:00 in Denver over a change of daylight saving.
    return [(day - timedelta(weeks=week)).astimezone(UTC) for week in range(count)]
