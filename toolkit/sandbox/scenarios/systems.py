"""Scenarios in which a system is not where it was, or does not let anybody in."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from toolkit.sandbox.scenarios.scenario import COLLEAGUE, Scenario, Symptom

if TYPE_CHECKING:
    from toolkit.sandbox.sites import Site
    from toolkit.sandbox.world import World


_NEW_TAG = "v3.42.0"


async def _move_cronjob(world: World, site: Site) -> None:
    """Somebody moved the CronJob to another cluster, in eng-infrastructure; Argo CD took the old one away."""
    from toolkit.sandbox import repository

    place = site.place
    site.cluster_now.delete("CronJob", place.cache_manager_namespace, place.cronjob)
    site.cluster = "rp006-prod" if place.cache_manager_cluster != "rp006-prod" else "prod-cluster"
    await asyncio.to_thread(repository.move, world.directory / repository.DIRECTORY, place.manifest, site.cluster)
    site.put_cronjob(datetime.now(UTC), [])
    await asyncio.to_thread(world.argocd.synced, site)


async def _bump_image(world: World, site: Site) -> None:
    """Somebody merged a new tag to trunk yesterday; nobody pressed Sync in Argo CD."""
    from toolkit.sandbox import repository

    directory, when = world.directory / repository.DIRECTORY, datetime.now(UTC) - timedelta(hours=26)
    await asyncio.to_thread(repository.bump, directory, site.manifest, _NEW_TAG, when)


async def _rotate_token(world: World, site: Site) -> None:
    """Redis was given a new password; nobody wrote it to Vault."""
    del world
    await site.rotate_password()


async def _move_proxy(world: World, site: Site) -> None:
    """The proxy's Service was made anew and got another address."""
    del world
    await site.move_proxy()


async def _seal_vault(world: World, site: Site) -> None:
    """Vault was restarted and nobody has unsealed it."""
    del site
    world.vault.seal()


WRONG_CLUSTER = Scenario(
    "wrong-cluster",
    "The cache manager's CronJob was moved: it is in another cluster than configured.",
    lambda site: Symptom(
        COLLEAGUE, f"I am to reload the groups, but I cannot find {site.place.cronjob} where it always was."
    ),
    bring_about=_move_cronjob,
)
IMAGE_DRIFT = Scenario(
    "image-drift",
    "Trunk asks for a new image of the cache manager; Argo CD was not synced, so the old one runs.",
    lambda site: Symptom(
        COLLEAGUE, f"{_NEW_TAG} of the cache manager was merged yesterday. Does {site.place.cronjob} run it?"
    ),
    bring_about=_bump_image,
)
TOKEN_ROTATED = Scenario(
    "token-rotated",
    "Redis has a new password; Vault still holds the old one.",
    lambda site: Symptom(COLLEAGUE, f"redis-cli says WRONGPASS with the token from Vault ({site.place.vault_path})."),
    bring_about=_rotate_token,
)
PROXY_MOVED = Scenario(
    "proxy-moved",
    "The Redis proxy has another address than the configuration says.",
    lambda site: Symptom(COLLEAGUE, f"The Redis of {site.place.title} does not answer at its address any more."),
    bring_about=_move_proxy,
)
VAULT_SEALED = Scenario(
    "vault-sealed",
    "Vault is sealed: no token can be read.",
    lambda _: Symptom(COLLEAGUE, "I cannot get at the Redis token: Vault answers everything with an error."),
    bring_about=_seal_vault,
)
