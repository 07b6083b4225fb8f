"""From the groups down to a pert, across and back, on the sandbox as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from outside import Outside
from test_tui_sandbox import _healthy, on_sandbox, world_home  # noqa: F401 - fixtures
from textual.widgets import Input
from tui_driving import Driver

from toolkit.actions.journal import Journal
from toolkit.sandbox import client
from toolkit.tui.widgets.table import Rows


async def _groups(app: Driver) -> list[str]:
    """Go to the groups' page; their names in Redis, the default one first (they tell the week they were built in)."""
    names = Outside().groups()[::-1]
    await app.see("▞▞ SANDBOX ▞▞")
    await app.until(lambda: app.app.session is not None, "an open environment")
    await app.press("2")
    await app.see(f"★  {names[0]}", "8/8", "number 1 of the dropdown")
    return names


def week(group: str) -> str:
    """As much of its name as any page shows: rp006_2026w47."""
    return "_".join(group.split("_")[:2])


async def _line(app: Driver, text: str) -> None:
    """Type a line that is asked for, as pasted."""
    app.app.screen.query_one("#line", Input).value = text
    await app.press("enter")


async def test_from_the_groups_to_where_a_pert_is() -> None:
    async with on_sandbox() as app:
        newest = (await _groups(app))[0]
        await app.press("enter")
        await app.see(f"Frames of {newest}  8 of 8", "genes_split_by_normalized")
        await app.until(lambda: "…" not in app.text.split("Frames of")[1].split("╍")[0], "all headers")
        row = next(line for line in app.text.splitlines() if " genes_split_by " in line)
        assert row.split()[1:4] == ["1,112", "6", "✓"], row
        await app.see("columns  pert (string)")
        await app.press("end", "up", "up", "up", "enter")
        await app.see("Perts in genes", "278 perts", "read")
        await app.type("brca")
        await app.see("2 of 278", "BRCA1", "BRCA2")
        await app.press("down", "enter")
        await app.see("Where BRCA2 is", "5 of 5 groups", "toolkit why BRCA2 --env sandbox")
        await app.press("escape")
        await app.see("2 of 278")
        await app.press("escape")
        await app.see("278 perts")
        await app.type("brac1")
        await app.see("No name holds 'brac1'", "BRCA1")
        await app.press("escape", "escape")
        await app.see("Frames of")
        await app.press("2")
        await app.see("Groups  5")
        await app.until(lambda: "perts    " in app.text, "the perts, now that their names are known")


async def test_compounds_have_their_concentrations() -> None:
    async with on_sandbox(size=(120, 40)) as app:
        newest = (await _groups(app))[0]
        await app.press("enter")
        await app.see("compounds_split_by")
        await app.press("enter")
        await app.see("60 perts")
        row = next(line for line in app.text.splitlines() if "REC-0000123" in line)
        assert "compound  0.03 0.1 0.3 1 3" in row
        await app.press("tab", "space")
        await app.see("◆ 1 marked")
        await app.press("h")
        await app.see(f"Heatmap of {newest}")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        assert app.app.screen.query_one("#line", Input).value == "REC-0000123"


async def test_a_misspelled_pert_leads_to_the_nearest_one() -> None:
    async with on_sandbox() as app:
        await _groups(app)
        await app.press("f")
        await app.see("Find a pert over all groups", "the default group")
        await app.type("BRAC1")
        await app.see("has no such name; these are like it", "two letters changed places")
        await app.press("enter")
        await app.see("Where BRAC1 is  0 of 5 groups", "did you mean", "BRCA1", "Not under this name")
        await app.press("enter")
        await app.see("Where BRCA1 is  5 of 5 groups")


async def test_an_inspection_finds_vectors_that_are_not_of_length_1() -> None:
    client.apply_scenario(["vectors-denormalized"])
    async with on_sandbox() as app:
        newest = (await _groups(app))[0]
        await app.press("i")
        await app.see(f"Inspection of {newest}", "to look at", "✗ fail    vectors of length 1")
        await app.see(f"by hand  toolkit groups inspect {newest}")
        await app.press("enter")
        await app.see("redis-cli", "strlen")
        assert "REDISCLI_AUTH=" not in app.text
        await app.press("escape", "n")
        await app.see("names only", "? unknown vectors of length 1")


async def test_a_diff_of_two_marked_groups_and_of_the_marked_one_with_that_in_focus() -> None:
    client.apply_scenario(["pert-in-another-group"])
    async with on_sandbox() as app:
        newest, second = (await _groups(app))[:2]
        await app.press("d")
        await app.see("Mark a group (space)")
        await app.press("space", "d")
        await app.see(
            "2 Groups › ◆ 1 marked › diff", f"A before {week(second)}", f"B now    {week(newest)}", "1 marked"
        )
        await app.see("- removed", "names only (v: vectors)")
        await app.press("v")
        await app.see("vectors too", "moved (cosine < 0.9)")
        await app.press("escape", "down", "space", "d")
        await app.see("3 groups are marked") if "3 marked" in app.text else await app.see("diff rp006")


async def test_pictures_of_a_group_and_one_of_them_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with on_sandbox(size=(120, 40)) as app:
        newest = (await _groups(app))[0]
        await app.press("h")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        await _line(app, "BRCA1 BRCA2 TP53 --ordr clustered")
        await app.see("There is no --ordr here; did you mean --order?")
        await _line(app, "BRCA1 BRCA2 BRAC1 --order clustered")
        await app.see(
            f"Cosine similarity: {week(newest)}", "red: similar (+1)   white: unrelated (0)   blue: opposite (-1)"
        )
        await app.see("BRAC1: ", "did you mean", "toolkit map heatmap BRCA1 BRCA2 BRAC1 --order clustered --group")
        await app.press("s")
        await app.see("Save the picture as")
        await app.press("enter")
        await app.see("Saved")
        await app.until(lambda: list(tmp_path.glob("heatmap-rp006*.png")), "the file")
        await app.press("s")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        await _line(app, f"heatmap-{newest}.png")
        await app.see("is there already")
        await app.press("escape", "escape")
        await app.see("Groups  5")
        await app.press("p")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        await _line(app, "REC-0000123 --target MTOR")
        await app.see(
            "Seen from MTOR", "○ is the control; a line down and to the right heads toward the target", "heads"
        )
        await app.press("escape")
        await app.see("Groups  5")
        await app.press("c")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        await _line(app, "BRCA1")
        await app.see("BRCA1: agree", "verdict")


async def test_a_download_ends_with_its_path_and_checks_and_never_overwrites(tmp_path: Path) -> None:
    async with on_sandbox(size=(120, 40)) as app:
        newest = (await _groups(app))[0]
        await app.press("g")
        await _line(app, f"{tmp_path}")
        await app.see("8 files downloaded, 2.5 MB", "agrees", "pd.read_")
        folder = tmp_path / newest
        files = sorted(folder.glob("genes.*"))
        assert files
        assert (folder / "manifest.json").exists()
        files[0].write_bytes(b"something of mine")
        await app.press("escape", "g")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        await _line(app, f"{tmp_path}")
        await app.see("1 file failed", "7 files there already", "w replaces, after asking", "w Replace")
        assert files[0].read_bytes() == b"something of mine"
        await app.press("w")
        await app.see("Type 'replace'")
        await app.press("enter")
        await app.see("nothing is replaced")
        await _line(app, "replace")
        await app.see("1 file downloaded")
        assert files[0].read_bytes() != b"something of mine"


async def test_deleting_the_marked_groups_and_a_flush_go_through_the_gate(tmp_path: Path) -> None:
    async with on_sandbox(size=(120, 40)) as app:
        second, third = (await _groups(app))[1:]
        await app.press("down", "space", "space", "x")
        await app.see(f"Delete {second}, {third} from Redis: save first in")
        await _line(app, f"{tmp_path}/saved")
        await app.see("Nothing was changed yet", "Type ")
        await app.answer("no")
        await app.see("nothing was changed")
        await app.answer(app.app.operation.plan.confirm or "y")  # type: ignore[union-attr]
        await app.see("✓ done")
        assert (tmp_path / "saved").is_dir()
        await app.press("escape")
        await app.see("Groups  5", f"-◆  {second}")
        await app.press("X")
        await app.see("Empty Redis altogether: save first in")
        await app.press("enter")
        await app.see("Type ")
        await app.answer(app.app.operation.plan.confirm or "y")  # type: ignore[union-attr]
        await app.see("✓ done")
        await app.press("escape")
        await app.until(lambda: "★" not in app.text, "an empty Redis")
    assert [op.result for op in Journal().operations()[-2:]] == ["done", "done"]


async def test_a_read_only_environment_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_READ_ONLY", "1")
    async with on_sandbox(size=(120, 40)) as app:
        await _groups(app)
        await app.press("x")
        await app.until(lambda: app.app.screen.query("#line"), "a question")
        await app.press("enter")
        await app.see("✗ refused", "is read-only here", "Below is what it would do")


async def test_with_redis_down_frames_and_perts_come_from_the_bucket() -> None:
    client.apply_scenario(["vault-sealed"])
    async with on_sandbox() as app:
        await app.see("▞▞ SANDBOX ▞▞")
        await app.press("2")
        await app.see("? L2:", "8/8")
        await app.press("enter")
        await app.see("Frames of", "- absent", "✓ ")
        await app.press("enter")
        await app.see("from the bucket")
        await app.until(lambda: app.app.screen.query_one(Rows).count > 0, "perts")


async def test_a_jump_points_at_the_row_of_its_group() -> None:
    async with on_sandbox() as app:
        third = (await _groups(app))[2]
        await app.press("slash")
        await app.type(week(third).split("_")[1][4:])
        await app.see(f"group    {third}")
        await app.press("enter")
        await app.see("number 3 of the dropdown")
