"""Frames' names in Redis and in the bucket, both ways, for every group name that somebody may think of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.cache.frame_names import FrameNames, bucket_names, redis_names
from toolkit.environments import model
from toolkit.errors import ConfigurationError

REDIS = redis_names(model.Cache())
BUCKET = bucket_names(model.Cache(), "/l3/cache/")
FRAMES = ("genes", "genes_normalized", "compounds", "compounds_split_by")

names = st.text(min_size=1, max_size=20) | st.text(alphabet="ab:/*?[]\\{}. ", min_size=1, max_size=12)
patterns = st.sampled_from(
    ["{group}:{frame}", "{frame}@{group}", "map/{group}/{frame}.parquet", "{group}::{frame}", "x{group}[*]{frame}y"]
)


@given(pattern=patterns, group=names, frame=st.sampled_from(FRAMES))
def test_known_frame_is_found_again_whatever_the_group_is_called(pattern: str, group: str, frame: str) -> None:
    pattern_of_names = FrameNames(pattern, "test")
    name = pattern_of_names.name(group, frame)
    assert pattern_of_names.parts(name, frames=FRAMES) == (group, frame)


@given(pattern=patterns, group=names, frame=names)
def test_known_group_and_frame_are_found_again_whatever_both_are_called(pattern: str, group: str, frame: str) -> None:
    pattern_of_names = FrameNames(pattern, "test")
    name = pattern_of_names.name(group, frame)
    assert pattern_of_names.parts(name, frames=[frame], groups=[group]) == (group, frame)


@given(group=names, frame=names.filter(lambda text: ":" not in text))
def test_nothing_known(group: str, frame: str) -> None:
    assert REDIS.parts(REDIS.name(group, frame)) == (group, frame)


@given(name=st.text(max_size=30))
def test_what_is_read_is_written_the_same(name: str) -> None:
    for pattern in (REDIS, BUCKET):
        parts = pattern.parts(name)
        assert parts is None or pattern.name(*parts) == name


def test_of_several_readings() -> None:
    name = "neuro:2024:genes"
    assert REDIS.parts(name) == ("neuro:2024", "genes")
    assert REDIS.parts(name, groups=["neuro"]) == ("neuro", "2024:genes")
    assert REDIS.parts(name, groups=["neuro", "neuro:2024"]) == ("neuro:2024", "genes")
    assert REDIS.parts(name, groups=["neuro"], frames=["genes"]) == ("neuro:2024", "genes")
    assert REDIS.parts(name, groups=["neuro"], frames=["genes", "2024:genes"]) == ("neuro", "2024:genes")


@pytest.mark.parametrize("name", ["", "x", ":", "a:", ":a", "available-groups"])
def test_no_frame(name: str) -> None:
    assert REDIS.parts(name) is None


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("l3/cache/g/genes.parquet", ("g", "genes")),
        ("l3/cache/team/g/genes.parquet", ("team/g", "genes")),
        ("l3/cache/g/genes.parquet.crc", None),
        ("l3/cache/g/.parquet", None),
        ("g/genes.parquet", None),
        ("l3/cache/g/", None),
    ],
)
def test_in_the_bucket(name: str, parts: tuple[str, str] | None) -> None:
    assert BUCKET.parts(name) == parts


@pytest.mark.parametrize(
    "pattern",
    ["", "{group}", "{group}:{frames}", "{group}:{frame}:{group}", "{group}{frame}", "{frame}{group}.x", "{}"],
)
def test_pattern_that_cannot_work(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cache\.frame_key"):
        redis_names(model.Cache(frame_key=pattern))


def test_glob_leaves_nothing_special_but_its_star() -> None:
    assert REDIS.glob("a*b?[c]\\d") == r"a\*b\?\[c\]\\d:*"
