"""Pictures: every number is in them, in whatever room there is, and nothing is said by colour alone."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import Refused, UsageError
from toolkit.pictures import colours, files, matrix, plane

MATRIX = [[1.0, -0.25, None], [-0.25, 1.0, 0.004], [None, 0.004, 1.0]]


def plain(lines: list[object]) -> list[str]:
    return [str(line) for line in lines]


class TestColours:
    def test_both_sides_are_equally_dark(self) -> None:
        for step in range(101):
            similar, opposite = colours.diverging(step / 100), colours.diverging(-step / 100)
            assert colours.lightness(similar) == pytest.approx(colours.lightness(opposite), abs=1.5)

    def test_ends(self) -> None:
        (red, _, blue), (red_of_opposite, _, blue_of_opposite) = colours.diverging(1), colours.diverging(-1)
        assert red > 2 * blue
        assert blue_of_opposite > 2 * red_of_opposite
        assert len(set(colours.diverging(0))) == 1

    @settings(max_examples=30)
    @given(value=st.floats(-1, 1))
    def test_numbers_can_be_read(self, value: float) -> None:
        style = colours.on(value)
        assert style.color is not None
        assert style.bgcolor is not None
        before, behind = style.color.get_truecolor(), style.bgcolor.get_truecolor()
        assert abs(colours.lightness(tuple(before)) - colours.lightness(tuple(behind))) > 40


class TestMatrix:
    def test_with_room(self) -> None:
        first, *rows = plain(matrix.drawn(["KRAS", "NF1", "TP53"], MATRIX, 80))
        assert first.split() == ["1", "2", "3"]
        assert [row.split() for row in rows] == [
            ["1", "KRAS", "+1.00", "-0.25", "?"],
            ["2", "NF1", "-0.25", "+1.00", "0.00"],
            ["3", "TP53", "?", "0.00", "+1.00"],
        ]

    @pytest.mark.parametrize("count", [1, 7, 12, 24, 60])
    @pytest.mark.parametrize("width", [40, 80, 120])
    def test_no_cell_is_left_out(self, count: int, width: int) -> None:
        labels = [f"REC-{number:07d} 0.3 µM" for number in range(count)]
        lines = plain(matrix.drawn(labels, [[-0.4] * count] * count, width))
        assert all(len(line) <= width for line in lines)
        assert sum(line.count("-4") + line.count("-0.4") for line in lines) == count * count

    def test_tenths(self) -> None:
        cells = [matrix.cell(value, 0) for value in (1, 0.96, 0.94, 0.04, -0.04, -0.3, -1, None)]
        assert cells == ["+■", "+■", "+9", " 0", " 0", "-3", "-■", "?"]


class TestPlane:
    def test_points_control_and_axes(self) -> None:
        lines = plain(plane.drawn([[(0.1, 0.99), (0.9, 0.4)], [(-0.6, 0.8)]], 78, 20))
        assert all(len(line) <= 78 for line in lines)
        text = "\n".join(lines)
        for expected in ("control", "○", "a", "A", "B", "1.00 ┤", "0.00 ┤"):
            assert expected in text
        assert lines[-1].split() == ["-0.75", "-0.5", "-0.25", "0", "0.25", "0.5", "0.75", "1"]

    def test_nothing_to_draw(self) -> None:
        assert "○" in "\n".join(plain(plane.drawn([], 60, 16)))

    @settings(max_examples=20)
    @given(st.lists(st.lists(st.tuples(st.floats(-50, 50), st.floats(0, 50)), max_size=4), max_size=4))
    def test_any_points(self, lines: list[list[tuple[float, float]]]) -> None:
        assert all(len(line) <= 70 for line in plain(plane.drawn(lines, 70, 18)))


class TestFiles:
    def test_png_and_svg(self, tmp_path: Path) -> None:
        draw = files.heatmap(["KRAS", "a$b$", "染色"], MATRIX, "Similarity")
        files.save(tmp_path / "map.png", draw)
        assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        files.save(tmp_path / "map.svg", draw)
        text = (tmp_path / "map.svg").read_text("utf-8")
        assert ElementTree.fromstring(text).tag.endswith("svg")
        for expected in ("KRAS", "a$b$", "-0.25", "Similarity"):
            assert expected in text
        assert str(tmp_path) not in text
        assert "<dc:date>" not in text
        assert sorted(file.name for file in tmp_path.glob("*map*")) == ["map.png", "map.svg"]
        files.save(tmp_path / "map.svg", draw, overwrite=True)
        assert (tmp_path / "map.svg").read_text("utf-8") == text

    def test_other_pictures(self, tmp_path: Path) -> None:
        files.save(tmp_path / "p.svg", files.plane([("A", [((0.1, 0.9), "1 µM")]), ("B", [])], "MTOR", "Title"))
        assert "control" in (tmp_path / "p.svg").read_text("utf-8")
        files.save(tmp_path / "c.svg", files.strips([("A: agree", ["x", "y", "z"], MATRIX)] * 5, "Title"))
        assert (tmp_path / "c.svg").read_text("utf-8").count("A: agree") == 5

    def test_what_is_refused(self, tmp_path: Path) -> None:
        for name, word in (("map.jpg", ".png or .svg"), ("map", ".png or .svg"), ("none/map.png", "folder")):
            with pytest.raises(UsageError) as problem:
                files.check(tmp_path / name, overwrite=False)
            assert word in problem.value.hint + problem.value.message
        (tmp_path / "there.png").write_text("mine")
        with pytest.raises(Refused, match="there already"):
            files.save(tmp_path / "there.png", files.heatmap(["A"], [[1.0]], ""))
        assert (tmp_path / "there.png").read_text() == "mine"
