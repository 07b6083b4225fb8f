"""Scenarios in which the app is well, and somebody is not let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.errors import UsageError
from toolkit.sandbox.okta.directory import NEWCOMER, USERS_GROUP
from toolkit.sandbox.scenarios.scenario import Scenario, Symptom

if TYPE_CHECKING:
    from toolkit.sandbox.sites import Site
    from toolkit.sandbox.world import World


async def _add_to_the_mailing_list(world: World, site: Site) -> None:
    """A scientist joined the partner's team. Her account was made, and somebody added her to the Google group of the
    app's users, as to every list of the team; Okta imported that. Nobody asked for Okta's own group."""
    if not site.place.pomerium:
        raise UsageError(
            f"access-not-in-okta-group cannot be had in {site.place.name}: it is not behind Pomerium.",
            hint="Have it in the environment `sandbox`.",
        )
    world.okta.directory.join(NEWCOMER, "Lena", "Vogt", ["roche-partners"], [USERS_GROUP, "rp006-news"])


ACCESS_NOT_IN_OKTA_GROUP = Scenario(
    "access-not-in-okta-group",
    "All is well; somebody is in the Google group of the app's users, and in no Okta group that may get in.",
    lambda site: Symptom(
        NEWCOMER,
        f"I cannot get into {site.place.url}: it says that I am not authorized. I was added to the group last week.",
    ),
    bring_about=_add_to_the_mailing_list,
)
