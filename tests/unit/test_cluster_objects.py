"""Reading a cluster's objects: whole ones, and ones with anything missing."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.systems.cluster.deployments import read_deployment
from toolkit.systems.cluster.jobs import manual_job, manual_name, typed_name
from toolkit.systems.cluster.objects import quantity, read_cronjob, read_job, read_pod, selector


def job(annotations: dict[str, str] | None = None, **status: Any) -> Any:
    return read_job("c", {"metadata": {"name": "j", "annotations": annotations or {}}, "spec": {}, "status": status})


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, "pending"),
        ({"active": 1}, "running"),
        ({"failed": 1}, "running"),
        ({"conditions": [{"type": "Complete", "status": "True"}]}, "complete"),
        ({"conditions": [{"type": "Complete", "status": "False"}], "active": 1}, "running"),
        ({"conditions": [{"type": "FailureTarget", "status": "True"}], "active": 1}, "running"),
        ({"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]}, "failed"),
    ],
)
def test_what_state_a_job_is_in(status: dict[str, Any], state: str) -> None:
    assert job(**status).state == state


def test_a_job_by_hand_is_told_from_a_scheduled_one() -> None:
    assert job({"cronjob.kubernetes.io/instantiate": "manual"}).manual
    assert not job({"batch.kubernetes.io/cronjob-scheduled-timestamp": "x"}).manual


@pytest.mark.parametrize("read", [read_cronjob, read_job, read_pod, read_deployment])
def test_an_empty_object_is_read(read: Any) -> None:
    assert read("c", {}).name == ""
    assert read("c", {"metadata": None, "spec": None, "status": None}).cluster == "c"


def test_why_a_pod_waits() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    found = read_pod("c", {"status": {"phase": "Pending", "containerStatuses": [{"state": waiting}]}})
    assert (found.reason, found.message, found.exit_code) == ("ImagePullBackOff", "no such image", None)
    no_room = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    found = read_pod("c", {"status": {"phase": "Pending", "conditions": [no_room]}})
    assert (found.reason, found.message) == ("Unschedulable", "0/3 nodes")
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    found = read_pod("c", {"status": {"phase": "Failed", "containerStatuses": [{"state": ended}]}})
    assert (found.reason, found.exit_code, found.over) == ("OOMKilled", 137, True)


def test_a_selector_is_written_as_kubectl_takes_it() -> None:
    given_ = {
        "matchLabels": {"app": "x"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]},
            {"key": "old", "operator": "DoesNotExist"},
        ],
    }
    assert selector(given_) == "app=x,tier in (a,b),!old"


@given(st.text(string.ascii_lowercase + string.digits + "-.", min_size=1, max_size=100))
def test_a_run_by_hand_has_a_name_that_fits_whatever_the_cronjob_is_called(name: str) -> None:
    cronjob = "a" + name
    found = manual_name(cronjob)
    assert len(found) <= 63
    assert found[0].isalnum()
    assert found[-1].isalnum()
    assert "-manual-" in found
    assert len(typed_name(cronjob).replace("$(date +%s)", "1790000000")) <= 63


def test_names_are_unique() -> None:
    # Six random letters: among 500 two may be alike by chance, about once in some thousand runs.
    assert len({manual_name("cache-manager") for _ in range(500)}) >= 498


def test_a_job_is_what_kubectl_would_send() -> None:
    template = {
        "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d", "cronjob.kubernetes.io/instantiate": "theirs"}},
        "spec": {"backoffLimit": 0, "template": {"spec": {"containers": []}}},
    }
    cronjob = read_cronjob(
        "c", {"metadata": {"name": "cm", "namespace": "ns", "uid": "u"}, "spec": {"jobTemplate": template}}
    )
    made = manual_job(cronjob, "cm-1")
    assert made["spec"] == template["spec"]
    assert made["metadata"]["labels"] == {"a": "b"}
    # create_job.go sets its own annotation first, and the template's over it.
    assert made["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"] == "theirs"
    assert made["metadata"]["ownerReferences"] == [
        {"apiVersion": "batch/v1", "kind": "CronJob", "name": "cm", "uid": "u", "controller": True}
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("4Gi", 4 * 2**30),
        ("1500M", 1_500_000_000),
        ("3271680Ki", 3271680 * 1024),
        ("1e9", 10**9),
        ("128974848000m", 128974848),
        ("0", 0),
        ("1.5Gi", 3 * 2**29),
        ("much", None),
        ("", None),
        (None, None),
    ],
)
def test_quantities(text: str | None, count: int | None) -> None:
    assert quantity(text) == count


@pytest.mark.parametrize(
    ("strategy", "wanted", "limits"),
    [
        ({}, 3, (1, 0)),
        ({"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}, 10, (3, 2)),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "25%"}}, 3, (0, 1)),
        ({"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 1}}, 3, (2, 1)),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}, 1, (0, 1)),
        ({"type": "Recreate"}, 3, (0, 3)),
    ],
)
def test_how_many_pods_more_and_less_a_rollout_allows(
    strategy: dict[str, Any], wanted: int, limits: tuple[int, int]
) -> None:
    found = read_deployment("c", {"spec": {"replicas": wanted, "strategy": strategy}})
    assert (found.surge, found.unavailable) == limits
    assert found.serving == max(wanted - limits[1], 0)


def test_a_rollout_is_over_when_its_controller_has_seen_it_and_no_old_pod_is_left() -> None:
    counts = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "observedGeneration": 2}

    def over(generation: int = 2, **other: int) -> bool:
        item = {"metadata": {"generation": generation}, "spec": {"replicas": 3}, "status": {**counts, **other}}
        return read_deployment("c", item).rolled_out

    assert over()
    assert not over(generation=3)
    assert not over(replicas=4)
    assert not over(updatedReplicas=1)
    assert not over(availableReplicas=2)
