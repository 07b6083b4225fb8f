"""The sandbox's storage, without HTTP: its pages are those of one long listing, whatever names there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.sandbox.storage.objects import StorageError, Store, StoredBucket

names = st.text(alphabet="ab/é", min_size=1, max_size=6)


def naive(all_names: set[str], prefix: str, delimiter: str) -> tuple[list[str], list[str]]:
    items, prefixes = [], set()
    for name in sorted(all_names, key=lambda name: name.encode()):
        if not name.startswith(prefix):
            continue
        rest = name[len(prefix) :]
        if delimiter and delimiter in rest:
            prefixes.add(prefix + rest.split(delimiter)[0] + delimiter)
        else:
            items.append(name)
    return items, sorted(prefixes, key=lambda name: name.encode())


@given(st.sets(names, max_size=30), st.text(alphabet="ab/", max_size=3), st.sampled_from(["", "/"]), st.integers(1, 5))
def test_pages_together_are_the_listing(all_names: set[str], prefix: str, delimiter: str, limit: int) -> None:
    store = Store()
    store.add_bucket(StoredBucket("b", "p"))
    for name in all_names:
        store.put("b", name, b"", "text/plain")
    items: list[str] = []
    prefixes: list[str] = []
    token = ""
    for _ in range(100):
        page = store.page("b", prefix, delimiter, token, limit, soft=False)
        assert len(page.items) + len(page.prefixes) <= limit
        items += [item.path for item in page.items]
        prefixes += page.prefixes
        token = page.token
        if not token:
            break
    assert (items, prefixes) == naive(all_names, prefix, delimiter)


@given(st.lists(st.tuples(st.sampled_from(["put", "delete", "restore"]), st.sampled_from("abc")), max_size=30))
def test_every_generation_is_live_or_kept(steps: list[tuple[str, str]]) -> None:
    store = Store()
    store.add_bucket(StoredBucket("b", "p"))
    made: dict[int, str] = {}
    for step, name in steps:
        if step == "put":
            made[store.put("b", name, name.encode(), "text/plain").generation] = name
        elif step == "delete" and store.live_generation("b", name):
            store.delete("b", name)
        elif step == "restore" and (kept := store.bucket("b").soft.get(name)):
            made[store.restore("b", name, kept[0].generation).generation] = name
    live = {version.generation: name for name, version in store.bucket("b").live.items()}
    soft = {v.generation: name for name, versions in store.bucket("b").soft.items() for v in versions}
    assert live | soft == made
    assert not live.keys() & soft.keys()
    assert store.paths("b") == sorted(live.values())


def test_a_page_token_that_is_none() -> None:
    store = Store()
    store.add_bucket(StoredBucket("b", "p"))
    with pytest.raises(StorageError, match="page token"):
        store.page("b", "", "", "é", 10, soft=False)
