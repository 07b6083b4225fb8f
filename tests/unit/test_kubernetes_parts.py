"""The sandbox's clusters in their parts: selectors, patches, protobuf, the store."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.sandbox.kubernetes import patches, selectors
from toolkit.sandbox.kubernetes.logs import ContainerLog
from toolkit.sandbox.kubernetes.protobuf import decode
from toolkit.sandbox.kubernetes.resources import Status
from toolkit.sandbox.kubernetes.store import Gone, Store


def pod(name: str = "p", **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "ns", "labels": labels},
        "spec": {},
        "status": {"phase": "Running"},
    }


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("", True),
        ("app=map", True),
        ("app==map,tier=web", True),
        ("app!=map", False),
        ("app in (x, map)", True),
        ("app notin (x, map),tier", False),
        ("tier", True),
        ("!tier", False),
        ("!other,app=map", True),
        ("other!=x", True),
    ],
)
def test_label_selectors(selector: str, fits: bool) -> None:
    assert selectors.labels(selector)(pod(app="map", tier="web")) is fits


@pytest.mark.parametrize(
    ("selector", "fits"),
    [("metadata.name=p", True), ("status.phase!=Running", False), ("spec.nodeName=", True), ("metadata.name=q", False)],
)
def test_field_selectors(selector: str, fits: bool) -> None:
    assert selectors.fields(selector)(pod()) is fits


@given(st.text(max_size=40))
def test_no_selector_breaks_the_server(text: str) -> None:
    for make in (selectors.labels, selectors.fields):
        with contextlib.suppress(Status):
            make(text)(pod(app="map"))


def test_merge_patches_take_away_and_replace_lists() -> None:
    before = {"a": {"b": 1, "c": 2}, "l": [1, 2]}
    assert patches.apply(before, {"a": {"b": None, "d": 3}, "l": [3]}, "merge") == {"a": {"c": 2, "d": 3}, "l": [3]}


def test_strategic_patches_merge_lists_by_name() -> None:
    before = {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}
    change = {"containers": [{"name": "b", "image": "2"}]}
    assert patches.apply(before, change, "strategic")["containers"] == [
        {"name": "a", "image": "1"},
        {"name": "b", "image": "2"},
    ]


def test_json_patches() -> None:
    change = [
        {"op": "test", "path": "/a/0", "value": 1},
        {"op": "add", "path": "/a/-", "value": 2},
        {"op": "replace", "path": "/x~1y", "value": 3},
        {"op": "remove", "path": "/z"},
    ]
    assert patches.apply({"a": [1], "x/y": 0, "z": 1}, change, "json") == {"a": [1, 2], "x/y": 3}
    for broken in ([{"op": "remove", "path": "/none"}], [{"op": "fly", "path": "/a"}], [{}], {}, [1]):
        with pytest.raises(Status):
            patches.apply({"a": 1}, broken, "json")


@given(st.binary(max_size=200))
def test_no_protobuf_breaks_the_server(data: bytes) -> None:
    for body in (data, b"k8s\x00" + data):
        with pytest.raises(Status):
            decode(body)


def test_objects_are_stamped_and_versions_only_grow() -> None:
    store = Store()
    store.put(pod())
    made = store.get("Pod", "ns", "p")
    assert made is not None
    assert made["metadata"]["uid"]
    assert made["metadata"]["creationTimestamp"].endswith("Z")
    changed = store.patch("Pod", "ns", "p", {"status": {"phase": "Failed"}})
    assert int(changed["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]
    with pytest.raises(Status) as caught:
        store.replace({**changed, "metadata": {**changed["metadata"], "resourceVersion": "1"}})
    assert caught.value.code == 409


def test_what_is_given_out_is_a_copy() -> None:
    store = Store()
    store.put(pod())
    found = store.get("Pod", "ns", "p")
    assert found is not None
    found["metadata"]["labels"]["broken"] = "yes"
    again = store.get("Pod", "ns", "p")
    assert again is not None
    assert "broken" not in again["metadata"]["labels"]


def test_names_and_namespaces_are_checked() -> None:
    store = Store()
    for item, code in ((pod(), 404), (pod("Not A Name"), 422), ({"kind": "Unicorn"}, 400)):
        with pytest.raises(Status) as caught:
            store.create(item)
        assert caught.value.code == code
    store.put(pod())
    with pytest.raises(Status) as caught:
        store.create(pod())
    assert caught.value.code == 409
    generated = pod("")
    generated["metadata"]["generateName"] = "job-"
    assert store.create(generated)["metadata"]["name"].startswith("job-")


def test_what_is_owned_goes_with_its_owner() -> None:
    store = Store()
    owner = store.put(pod("owner"))
    owned = pod("owned")
    owned["metadata"]["ownerReferences"] = [{"uid": owner["metadata"]["uid"]}]
    store.put(owned)
    store.delete("Pod", "ns", "owner")
    assert store.find("Pod") == []


async def test_a_watch_begins_where_it_is_told_and_is_refused_what_is_forgotten() -> None:
    store = Store()
    store.put(pod())
    seen = store.version
    store.patch("Pod", "ns", "p", {"status": {"phase": "Failed"}})
    store.delete("Pod", "ns", "p")
    types: list[str] = []

    async def watch() -> None:
        async for event in store.changes(seen):
            types.append(event.type)
            if len(types) == 3:
                return

    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    store.put(pod("q"))
    await asyncio.wait_for(task, 5)
    assert types == ["MODIFIED", "DELETED", "ADDED"]
    for number in range(5000):
        store.patch("Pod", "ns", "q", {"metadata": {"labels": {"n": str(number)}}})
    with pytest.raises(Gone):
        await anext(store.changes(seen))


async def test_a_log_is_followed_from_where_it_is_asked_and_ends() -> None:
    log = ContainerLog()
    for number in range(4):
        log.append(f"line {number}", at=number)
    seen: list[str] = []

    async def follow() -> None:
        async for batch in log.follow(since=1, tail=2):
            seen.extend(line.text for line in batch)

    task = asyncio.create_task(follow())
    await asyncio.sleep(0)
    log.append("new")
    await asyncio.sleep(0)
    log.append("last")
    log.close()
    await asyncio.wait_for(task, 5)
    assert seen == ["line 2", "line 3", "new", "last"]
    assert log.lines[0].stamp == "1970-01-01T00:00:00.000000000Z"
