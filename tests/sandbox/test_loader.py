"""The group auto-loader: configome beside production, the groups it makes, and when a dry run is safe."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Sandbox
from outside import Outside

from toolkit.sandbox import client

E = ("--env", "sandbox")


def check(sandbox: Sandbox, code: int, *more: str) -> Any:
    return sandbox.run("loader", "check", *E, "-o", "json", *more, code=code).json()


def plan(sandbox: Sandbox, code: int, *more: str) -> Any:
    return sandbox.run("loader", "plan", *E, "-o", "json", *more, code=code).json()


def found(answer: Any, name: str) -> Any:
    return next(one for one in answer["findings"] if one["check"] == name)


def edit(change: Any, where: str) -> None:
    """Commit another state of the settings to configome, or to production's."""
    environment = Outside().environment
    if where == "configome":
        folder, path = Path(environment.configome.remote), environment.configome.path
    else:
        folder, path = Path(environment.infra_repo.remote), environment.loader.manifest
    file = folder / path
    document = yaml.safe_load(file.read_text("utf-8"))
    inner = document if where == "configome" else yaml.safe_load(document["data"]["configome.yaml"])
    change(inner["group-auto-loader"]["prod"])
    if where == "production":
        document["data"]["configome.yaml"] = yaml.safe_dump(inner)
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    who = {f"GIT_{role}_{what}": "x@example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", "commit", "-qam", "Edit it"], cwd=folder, check=True, env={**os.environ, **who})


def configome(change: Any) -> None:
    edit(change, "configome")


def production(change: Any) -> None:
    edit(change, "production")


def test_a_healthy_world_agrees_and_has_its_groups(sandbox: Sandbox) -> None:
    answer = check(sandbox, 0)
    assert [one["status"] for one in answer["findings"]] == ["ok", "ok", "ok"]
    assert answer["configome"]["transformations"] == answer["production"]["transformations"]
    groups = found(answer, "loader-groups")["facts"]
    assert groups["dropdown"][0] == Outside().groups()[-1]
    assert groups["expected"] == groups["dropdown"]
    assert len(answer["configome"]["commit"]) == 40
    assert sandbox.run("loader", "check", "--env", "sandbox-mapapp").code == 0


def test_the_page_for_people_has_both_sides_and_the_groups(sandbox: Sandbox) -> None:
    ran = sandbox.run("loader", "check", *E)
    for words in ("configome", "production", "phenoservice API", "dry run", "model", "transformations", "✓ rank 1"):
        assert words in ran.out
    plain = sandbox.run("loader", "check", *E, "-o", "plain").out.splitlines()
    assert [line.split("\t")[:2] for line in plain] == [
        ["loader-api", "ok"], ["loader-settings", "ok"], ["loader-groups", "ok"],
    ]  # fmt: skip


def test_what_trunk_asks_for_and_configome_lacks_is_shown_with_its_commit(sandbox: Sandbox) -> None:
    group = client.apply_scenario(["transformation-missing"])["symptom"]["group"]
    answer = check(sandbox, 1, "--group", group)
    settings = found(answer, "loader-settings")
    assert settings["facts"]["lacking"] == ["hit_rescaled"]
    assert "- _hit_rescaled" in settings["evidence"]
    made = found(answer, "loader-transformation")["facts"]
    assert (made["in_configome"], made["in_production"]) == (False, True)
    remote = Outside().environment.infra_repo.remote
    head = subprocess.run(["git", "rev-parse", "trunk"], cwd=remote, check=True, capture_output=True, text=True).stdout
    assert made["since"]["commit"] == head.strip()
    ran = sandbox.run("loader", "check", *E, code=1)
    assert "✗ differs" in ran.out
    assert found(answer, "loader-groups")["status"] == "ok", "what configome asks for is there"


def test_a_group_that_somebody_asks_for_is_judged_by_its_name(sandbox: Sandbox) -> None:
    newest = Outside().groups()[-1]
    release = newest.removesuffix("_prox_bias_reduced")
    assert found(check(sandbox, 0, "-g", newest), "loader-transformation")["facts"]["in_configome"] is True
    other = found(check(sandbox, 1, "-g", f"{release}_never_heard_of"), "loader-transformation")
    assert (other["facts"]["transformation"], other["facts"]["in_production"]) == ("never_heard_of", False)
    slip = found(check(sandbox, 1, "-g", f"{release}_prox_bias_reduce"), "loader-transformation")
    assert slip["facts"]["near"] == "prox_bias_reduced"
    odd = found(check(sandbox, 0, "-g", "something"), "loader-transformation")
    assert odd["facts"]["transformation"] is None
    causes = sandbox.run("why", "--group", f"{release}_prox_bias_reduce", *E, "-o", "json", code=None).json()
    assert causes["verdict"]["causes"] == [], "a slip of the pen is no transformation that is missing"


def test_nobody_has_asked_for_it_yet(sandbox: Sandbox) -> None:
    release = Outside().groups()[-1].removesuffix("_prox_bias_reduced")
    answer = sandbox.run("why", "--group", f"{release}_never_heard_of", *E, "-o", "json", code=1).json()
    (cause,) = answer["verdict"]["causes"]
    assert (cause["cause"], cause["confidence"]) == ("transformation-missing", 0.5)


def test_a_transformation_without_its_group_is_missing(sandbox: Sandbox) -> None:
    for side in (configome, production):
        side(lambda settings: settings["transformations"].append("_brand_new"))
    answer = check(sandbox, 1)
    groups = found(answer, "loader-groups")
    (missing,) = groups["facts"]["missing"]
    assert missing.endswith("_brand_new")
    assert groups["facts"]["dropdown"][0] == missing, "the last transformation is the first of the dropdown"
    assert f"in no layer: {missing}" in groups["summary"]
    assert found(answer, "loader-settings")["status"] == "ok"


def test_groups_in_another_order_or_without_a_transformation(sandbox: Sandbox) -> None:
    client.apply_scenario(["group-evicted"])  # the newest release has two groups
    first = check(sandbox, 0)["configome"]["transformations"]
    assert len(first) == 2
    for side in (configome, production):
        side(lambda settings: settings["transformations"].reverse())
    groups = found(check(sandbox, 1), "loader-groups")
    assert "another order" in groups["summary"]
    assert groups["facts"]["order"] == groups["facts"]["expected"][::-1]
    configome(lambda settings: settings["transformations"].pop())
    answer = check(sandbox, 1)
    assert found(answer, "loader-groups")["facts"]["extra"]
    assert found(answer, "loader-groups")["status"] == "warn"


def test_a_group_that_no_rebuild_has_brought_to_redis(sandbox: Sandbox) -> None:
    client.apply_scenario(["group-evicted"])  # the newest release has two groups
    newest = Outside().groups()[-1]
    with Outside().redis() as redis:
        redis.zrem("available-groups", newest)
    groups = found(check(sandbox, 0), "loader-groups")
    assert (groups["status"], groups["facts"]["not_in_redis"]) == ("ok", [newest]), "it was made, all the same"
    assert f"in the bucket, not in Redis: {newest}" in groups["summary"]


def test_no_group_fits_the_list(sandbox: Sandbox) -> None:
    for side in (configome, production):
        side(lambda settings: settings.update(transformations=["_of_another_world"]))
    groups = found(check(sandbox, 1), "loader-groups")
    assert (groups["status"], groups["facts"]["release"]) == ("fail", None)


def test_without_redis_the_settings_stand_and_the_order_is_not_known(sandbox: Sandbox) -> None:
    sandbox.scenario("token-rotated")
    answer = check(sandbox, 3)
    assert found(answer, "loader-settings")["status"] == "ok"
    assert found(answer, "loader-groups")["status"] == "unknown"
    assert "Redis could not be read" in found(answer, "loader-groups")["summary"]


# -- the dry run


def test_a_safe_dry_run_is_shown_with_its_command(sandbox: Sandbox) -> None:
    answer = plan(sandbox, 0)
    assert (answer["safe"], answer["command"]) == (True, "python phenoapp/group_auto_loader.py")
    (made,) = answer["makes"]
    assert (made["group"], made["there"]) == (Outside().groups()[-1], True)
    ran = sandbox.run("loader", "plan", *E)
    assert "  python phenoapp/group_auto_loader.py" in ran.out.splitlines()


def _elsewhere(settings: Any) -> None:
    settings["phenoservice-api"] = "https://staging.example"


def _no_api(settings: Any) -> None:
    del settings["phenoservice-api"]


def _for_real(settings: Any) -> None:
    settings["dry_run"] = False


def _silent(settings: Any) -> None:
    del settings["dry_run"]


def _another_model(settings: Any) -> None:
    settings["deep-learning-model"]["version"] = "5.0.0"


def _one_more(settings: Any) -> None:
    settings["transformations"].append("_mine")


@pytest.mark.parametrize(
    ("change", "refusing", "words"),
    [
        (_elsewhere, "loader-api", "configome points to https://staging.example"),
        (_no_api, "loader-api", "names no phenoservice API"),
        (_for_real, "loader-dry-run", "dry run is False"),
        (_silent, "loader-dry-run", "dry run is not set"),
        (_another_model, "loader-settings", "the model is phenoprint-resnet 5.0.0, production's is"),
        (_one_more, "loader-settings", "configome has mine, production has not"),
    ],
    ids=["another-api", "no-api", "not-dry", "dry-run-not-set", "another-model", "one-more"],
)
def test_where_one_thing_does_not_hold_the_command_is_not_shown(
    sandbox: Sandbox, change: Any, refusing: str, words: str
) -> None:
    configome(change)
    answer = plan(sandbox, 1)
    assert (answer["safe"], answer["command"]) == (False, None)
    assert [one["check"] for one in answer["findings"] if one["status"] != "ok"] == [refusing]
    assert words in found(answer, refusing)["summary"]
    assert found(answer, refusing)["hint"]
    ran = sandbox.run("loader", "plan", *E, code=1)
    assert "group_auto_loader.py" not in ran.out
    assert f"not safe: {refusing}" in ran.err


def test_the_one_that_is_tried_may_be_new(sandbox: Sandbox) -> None:
    configome(_one_more)
    answer = plan(sandbox, 0, "--new", "_mine")
    assert [one["transformation"] for one in answer["makes"]] == ["mine", "prox_bias_reduced"]
    assert [one["there"] for one in answer["makes"]] == [False, True]
    assert plan(sandbox, 1, "--new", "other")["safe"] is False


def test_two_apis_that_are_called_productions_are_no_ground_for_a_run(sandbox: Sandbox) -> None:
    production(_elsewhere)
    answer = plan(sandbox, 3)
    assert "two APIs are called production's" in found(answer, "loader-api")["summary"]
    assert answer["command"] is None
