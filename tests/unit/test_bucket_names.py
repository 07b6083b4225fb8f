"""From what is typed to names in the bucket, and from those to files: nothing more than was meant, nothing outside."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.errors import Refused, UsageError
from toolkit.systems.bucket.names import Target, argument, local_parts, shown, target, target_with_generation

BUCKET = "rp006-l3-cache"
names = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\n"), min_size=1, max_size=40)


@pytest.mark.parametrize("text", ["", "/", f"gs://{BUCKET}", f"gs://{BUCKET}/", f"GS://{BUCKET}"])
def test_all_of_the_bucket(text: str) -> None:
    assert target(text, BUCKET).whole


@pytest.mark.parametrize("text", ["group-1", "/group-1", f"gs://{BUCKET}/group-1"])
def test_a_name_may_be_an_object_or_a_folder(text: str) -> None:
    found = target(text, BUCKET)
    assert (found.path, found.name, found.prefix) == ("group-1", "group-1", "group-1/")


def test_a_slash_at_the_end_means_the_folder_alone() -> None:
    found = target("group-1/", BUCKET)
    assert (found.name, found.prefix) == (None, "group-1/")


def test_group_1_is_not_group_10() -> None:
    found = target("group-1", BUCKET)
    assert found.means("group-1")
    assert found.means("group-1/frame.parquet")
    for other in ("group-10", "group-10/frame.parquet", "group-1.old", "group-", "xgroup-1"):
        assert not found.means(other)


@given(names, names)
@example("group-1", "group-10/frame")
def test_what_is_meant_is_the_name_or_lies_in_its_folder(path: str, name: str) -> None:
    found = Target(path)
    if found.means(name):
        assert name == path or name.startswith(path.rstrip("/") + "/")


@given(names)
def test_a_url_gives_back_exactly_the_name(name: str) -> None:
    assert target(f"gs://{BUCKET}/{name}", BUCKET).path == name


def test_a_url_of_another_bucket_is_refused() -> None:
    with pytest.raises(Refused, match="is in the bucket 'other'"):
        target("gs://other/group-1", BUCKET)


@pytest.mark.parametrize("text", ["https://storage.googleapis.com/b/o", "s3://b/o", "gs://", "gs:///x"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a path in a bucket"):
        target(text, BUCKET)


@pytest.mark.parametrize("text", ["a\nb", "a\0b", "gs://b/\r"])
def test_line_breaks_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="line break"):
        target(text, BUCKET)


def test_a_generation_behind_the_name() -> None:
    found = target_with_generation(f"gs://{BUCKET}/group-1/frame#1795335410994236", BUCKET)
    assert found == Target("group-1/frame", 1795335410994236)
    assert target_with_generation("issue#12", BUCKET) == Target("issue#12")
    assert target_with_generation("folder/#1795335410994236", BUCKET) == Target("folder/#1795335410994236")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a/../../b",
        "/etc/passwd",
        "a//b",
        "./a",
        "a/.",
        "a/",
        "..",
        "C:/windows",
        "c:evil",
        "a\\..\\b",
        "a\0b",
        "a\nb",
        "a\x1b[2J",
        "nul",
        "a/CON.txt/b",
        "lpt1",
    ],
)
def test_names_that_are_no_safe_path(name: str) -> None:
    with pytest.raises(Refused):
        local_parts(name)


@pytest.mark.parametrize(
    "name", ["group-1/frame.parquet", "a b/ü", "2026-01-01T10:00:00Z/x", "...", "console", "a.b/.c"]
)
def test_ordinary_names_are_paths(name: str) -> None:
    assert "/".join(local_parts(name)) == name


@given(names)
def test_a_path_never_leads_out(name: str) -> None:
    try:
        parts = local_parts(name)
    except Refused:
        return
    assert PurePosixPath(*parts).parts == parts
    assert not PureWindowsPath(name).is_absolute()
    assert not PureWindowsPath(name).drive
    root = Path("/somewhere/safe")
    assert Path(*(root / Path(*parts)).parts).is_relative_to(root)
    assert ".." not in PureWindowsPath(name).parts


@given(st.text(max_size=30))
def test_what_is_shown_cannot_steer_a_terminal(name: str) -> None:
    assert shown(name).isprintable()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("text", ["plain", "a b", "it's", "$(x) `y` \\", "\x1b[2J it's \\n", "zero\u200bwidth"])
def test_an_argument_is_one_word_for_the_shell(text: str) -> None:
    assert argument(text).isprintable()
    done = subprocess.run(
        ["bash", "-c", f"printf %s {argument(text)}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert done.stdout.decode() == text
