"""Scenarios in which nothing is broken: the true state of the world is that somebody asks for what is not there."""

from __future__ import annotations

from toolkit.sandbox.scenarios.scenario import SCIENTIST, Scenario, Symptom

PERT_MISSPELLED = Scenario(
    "pert-misspelled",
    "All is well; a perturbation is asked for under a name that it does not have.",
    lambda _: Symptom(
        SCIENTIST, "BRAC1 is in none of my maps, and I am sure that we screened it. Is it in the cache?", pert="BRAC1"
    ),
)
NEVER_SCREENED = Scenario(
    "never-screened",
    "All is well; a gene is asked for that was never in any screen.",
    lambda _: Symptom(SCIENTIST, "Why is CFTR not in the map? I looked in every group.", pert="CFTR"),
)
WRONG_CONCENTRATION = Scenario(
    "wrong-concentration",
    "All is well; a compound is asked for at a concentration at which it was not screened.",
    lambda site: Symptom(
        SCIENTIST,
        f"I need REC-0000123 at 30 µM from {site.groups[0].name}, and the map does not show it.",
        pert="REC-0000123 at 30",
        group=site.groups[0].name,
    ),
)
