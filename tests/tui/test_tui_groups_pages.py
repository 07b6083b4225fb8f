"""The pages below the groups, on a made-up world: odd states, very many rows, stopping, and what goes on meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input
from tui_driving import Driver, driven
from tui_stand_ins import BROKEN, FRAMES, NAMES, World, made_up_perts

from toolkit.cache.search.filtering import Filter
from toolkit.errors import UsageError
from toolkit.pictures import matrix
from toolkit.tui import downloading, picture_query
from toolkit.tui.widgets.table import Rows


async def _down(app: Driver, *, frame: str = "") -> None:
    await app.press("2")
    await app.see(NAMES[0])
    await app.press("enter")
    await app.see("Frames of")
    if frame:
        await app.press("enter")
        await app.see("Perts in")


async def _line(app: Driver, text: str) -> None:
    await app.until(lambda: app.app.screen.query("#line"), "a question")
    app.app.screen.query_one("#line", Input).value = text
    await app.press("enter")


async def _download(app: Driver, line: str) -> None:
    """Begin the download of the first group, as that line says."""
    await app.press("2")
    await app.see(NAMES[0])
    await app.press("g")
    await _line(app, line)


async def test_marks_are_signs_are_counted_and_can_be_taken() -> None:
    async with driven(size=(120, 40)) as app:
        await app.press("2")
        await app.see(NAMES[0], "1,204", "disagrees")
        await app.press("space", "down", "space")
        await app.see("◆ 2 marked", "2 Groups › ◆ 2 marked", "★◆", "3◆")
        await app.press("up", "up", "up", "space")
        await app.see("◆ 1 marked")
        await app.press("r")
        await app.see("3◆")


async def test_a_corrupt_frame_says_so_in_words_and_the_other_layer_is_told() -> None:
    world = World()
    world.corrupt[FRAMES[0], "L2"] = "its footer is cut off after 12 bytes"
    async with driven(world=world) as app:
        await _down(app)
        await app.see("✗ not readable", "✗ Redis's cannot be read: its footer is cut off after 12 bytes", "17,480")


async def test_headers_that_cannot_be_read_leave_the_frames() -> None:
    world = World()
    world.broken["frame_headers"] = BROKEN
    async with driven(world=world) as app:
        await _down(app)
        await app.see("✓ 266 MB", "The headers could not be read: The Redis proxy does not answer")


async def test_a_half_written_group_shows_what_is_missing() -> None:
    world = World(in_l3={NAMES[0]: 5})
    async with driven(world=world, size=(120, 40)) as app:
        await app.press("2")
        await app.see("5/8!", "! incomplete in the bucket: 5 of 8 frames")


async def test_100000_perts_are_filtered_as_one_types_and_only_the_screen_is_drawn() -> None:
    world = World(perts=made_up_perts("gene", 100_000))
    async with driven(world=world) as app:
        await _down(app, frame="genes")
        await app.see("100,000 perts", "BRCA1")
        rows = app.app.screen.query_one(Rows)
        drawn: list[int] = []
        draw = rows._draw
        rows._draw = lambda at: (drawn.append(at), draw(at))[1]  # type: ignore[func-returns-value]
        await app.type("gene00012")
        await app.see("100 of 100,000", "GENE0001200")
        await app.press("pagedown", "down", "up")
        assert len(set(drawn)) < 300
        await app.press("escape", "tab", "end")
        await app.see("TP53")
        await app.press("home")
        await app.see("BRCA1")
        await app.type("x")  # a letter in the list is no filter
        await app.see("100,000 perts")


async def test_the_same_frame_again_keeps_marks_out_of_it_and_escape_empties_the_filter_first() -> None:
    async with driven() as app:
        await _down(app, frame="genes")
        await app.see("1,204 perts")
        await app.type("brca")
        await app.see("2 of 1,204")
        await app.press("escape")
        await app.see("1,204 perts", "Perts in")
        await app.press("escape")
        await app.see("Frames of")


async def test_a_frame_whose_names_cannot_be_read_is_a_problem_with_a_retry() -> None:
    world = World()
    world.broken["frame_perts"] = BROKEN
    async with driven(world=world) as app:
        await _down(app, frame="genes")
        await app.see("✗ cannot be reached", "r tries again")
        world.broken.clear()
        await app.press("r")
        await app.see("1,204 perts")


async def test_an_inspection_shows_progress_is_stopped_by_escape_and_goes_on_elsewhere() -> None:
    world = World(waiting={"inspect"})
    async with driven(world=world) as app:
        await app.press("2")
        await app.see(NAMES[0])
        await app.press("i")
        await app.see("600 MB of 2.1 GB", "esc stops it")
        await app.press("1")
        await app.see("Needs attention")
        assert not world.stop.is_set()
        world.waiting.clear()
        await app.press("2")
        await app.see("1 finding to look at", "12 of 96,000 vectors")
        assert world.asked.count("inspect") == 1
        world.waiting.add("inspect")
        await app.press("v")
        await app.see("600 MB of 2.1 GB")
        stop = world.stop
        await app.press("escape")
        await app.until(stop.is_set, "a stopped inspection")
        await app.see("Groups  5")


async def test_a_diff_is_long_and_its_vectors_are_read_when_asked_for() -> None:
    world = World(added=50_000)
    async with driven(world=world) as app:
        await app.press("2")
        await app.see(NAMES[0])
        await app.press("space", "d")
        await app.see("50,003 changes", f"A before {NAMES[1]}", f"B now    {NAMES[0]}", "+ 50,000 added", "names only")
        await app.press("end")
        await app.see("REC-0000123", "0.03")
        await app.press("v")
        await app.see("vectors too")
        await app.press("w")
        await app.see(f"A before {NAMES[0]}")


async def test_a_group_against_itself_is_redis_against_the_bucket() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see(NAMES[0])
        await app.press("space", "up", "d")
        await app.see("A before", "in Redis (L2)", "in the bucket (L3)")


async def test_three_marked_groups_are_too_many_for_a_diff() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see(NAMES[0])
        await app.press("space", "space", "space", "d")
        await app.see("3 groups are marked; a diff is of two")


async def test_a_picture_asks_says_its_colours_and_what_is_not_there(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    async with driven() as app:
        app.patience = 60.0  # the library that draws files is large
        await app.press("2")
        await app.see(NAMES[0])
        await app.press("h")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        assert app.app.screen.query_one("#line", Input).value == "BRCA1 BRCA2 KRAS TP53"
        await app.press("enter")
        await app.see("red: similar (+1)", "+1.0", "! BRAC1: not in any frame; did you mean BRCA1?")
        await app.press("s")
        await _line(app, "there.pdf")
        await app.see("there.pdf is no kind of picture")
        await _line(app, "there.svg")
        await app.until(lambda: (tmp_path / "there.svg").exists(), "the file")
        await app.press("m")
        assert app.app.clipboard.startswith("toolkit map heatmap BRCA1 BRCA2 KRAS TP53 --group")
        await app.press("escape")
        await app.see("Groups  5")


async def test_a_picture_that_cannot_be_drawn_says_so(monkeypatch: Any) -> None:
    def drawn(*arguments: Any) -> Any:
        raise ValueError("no such colour")

    monkeypatch.setattr(matrix, "drawn", drawn)
    async with driven() as app:
        await app.press("2")
        await app.see(NAMES[0])
        await app.press("h")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        await app.press("enter")
        await app.see("✗ failed", "A bug in the toolkit: ValueError: no such colour")


async def test_a_picture_not_asked_for_after_all_leads_back() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see(NAMES[0])
        await app.press("c")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        await app.press("escape")
        await app.see("Groups  5")


async def test_a_download_goes_on_elsewhere_is_stopped_and_goes_on_from_there() -> None:
    world = World(waiting={"download"})
    async with driven(world=world) as app:
        await _download(app, "/tmp/x --layer l2")
        await app.see("from Redis", "30%", "633 MB of 2.1 GB", "s Stop")
        await app.press("1")
        await app.see("Needs attention")
        assert not world.stop.is_set()
        await app.press("2", "G")
        await app.see("633 MB of 2.1 GB")
        await app.press("s")
        await app.see("‖ stopped", "2 of 8 files are whole", "a Again")
        world.waiting.clear()
        await app.press("a")
        await app.see("8 files downloaded", "downloaded, CRC32C agrees")


async def test_a_download_goes_on_when_another_environment_is_opened() -> None:
    world = World(waiting={"download"})
    async with driven(world=world) as app:
        await _download(app, "/tmp/x --layer l2")
        await app.see("30%")
        await app.press("e")
        await app.see("Choose an environment")
        await app.press("end", "enter")
        await app.see("Needs attention")
        assert app.app.opened().environment.name == "watched"
        assert not world.stop.is_set()
        assert not world.closed
        await app.press("2", "G")
        await app.see("from Redis, of rp006", "633 MB of 2.1 GB", "s Stop")
        await app.press("s")
        await app.see("‖ stopped", "a Again")
        world.waiting.clear()
        await app.press("a")
        await app.see("8 files downloaded")
        assert not world.closed, "what it needs stays, for as long as it is listed"


async def test_a_download_ends_where_the_world_begins_anew() -> None:
    world = World(waiting={"download"})
    async with driven(world=world) as app:
        await _download(app, "/tmp/x")
        await app.see("30%")
        stop = world.stop
        await app.app.reopen()
        await app.see("1 download stopped")
        assert stop.is_set()
        assert world.closed


async def test_a_download_that_ends_while_one_looks_elsewhere_says_so() -> None:
    world = World(waiting={"download"})
    async with driven(world=world) as app:
        await _download(app, "/tmp/x")
        await app.see("30%")
        await app.press("1")
        await app.see("Needs attention")
        world.waiting.clear()
        await app.see("Downloaded", "8 files downloaded")


async def test_files_that_differ_are_replaced_only_after_the_word() -> None:
    world = World(differing=True)
    async with driven(world=world) as app:
        await _download(app, "/tmp/x")
        await app.see("1 file differs and stayed as it was here", "w Replace")
        await app.press("w")
        await _line(app, "y")
        await app.see("nothing is replaced")
        await _line(app, "replace")
        await app.see("8 files downloaded")


async def test_deleting_goes_to_the_gate_with_the_marked_groups_only() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see(NAMES[0])
        await app.press("down", "space", "x")
        await _line(app, "")
        await app.see("Type 'prod-cluster'")
        assert f"delete {NAMES[1]}" in app.world.asked
        await app.press("escape")
        await app.press("x", "escape")
        assert app.world.action is not None
        assert app.world.action.applied == 0


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("heatmap", "", "Name the perts."),
        ("heatmap", "A 'B", "A quotation mark is not closed."),
        ("heatmap", "A --at x", "--at x is no concentration in µM."),
        ("heatmap", "A --order up", "--order is as-typed or clustered."),
        ("heatmap", "A --layer L4", "--layer is L2 (Redis) or L3 (the bucket)."),
        ("projection", "A", "Name what they are seen from: --target PERT."),
        ("consistency", "A --split-by", "There is no --split-by here"),
    ],
)
def test_a_line_that_is_no_picture_says_why(kind: Any, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        picture_query.read(kind, text)
    assert said in error.value.message


def test_a_picture_reads_its_own_line() -> None:
    query = picture_query.read(
        "heatmap", "BRCA1 'REC-0000123 at 3' --at=0.3 --order clustered --raw --layer l3 --frame genes"
    )
    assert query.perts == ("BRCA1", "REC-0000123 at 3")
    assert query.at == 0.3
    assert not query.normalized
    assert picture_query.read("heatmap", query.line) == query


def test_a_download_line(tmp_path: Path) -> None:
    query = downloading.read("G", f"'{tmp_path}' --layer l2 --frame genes")
    assert (query.to, query.layer, query.frames) == (tmp_path, "L2", ("genes",))
    assert "--to" in query.command("rp006")
    for text in ("", "a b", ". --layer l9", ". --fram x"):
        with pytest.raises(UsageError):
            downloading.read("G", text)


def test_the_filter_holds_words_kinds_and_else_what_is_like_it() -> None:
    look = Filter(made_up_perts("gene", 1000))
    assert [pert.name for pert in look("brca")] == ["BRCA1", "BRCA2"]
    assert len(look("gene 00099")) == 8
    assert len(look("")) == 1000
    near = look("BRAC1")
    assert near.near
    assert near[0].name == "BRCA1"
    assert not look("!!!!????")
