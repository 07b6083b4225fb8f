"""`toolkit map …` as typed, on the sandbox: what its data were made to show is what the pictures show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Sandbox

ON = ("--env", "sandbox")


def cells(document: Any) -> dict[tuple[str, str], float]:
    names = [f"{one['pert']} {one['concentration'] or ''}".strip() for one in document["perts"]]
    return {(a, b): document["matrix"][i][j] for i, a in enumerate(names) for j, b in enumerate(names)}


class TestHeatmap:
    def test_pathways(self, sandbox: Sandbox) -> None:
        found = sandbox.run("map", "heatmap", "KRAS", "BRAF", "NF1", "MTOR", *ON, "-o", "json").json()
        alike = cells(found)
        assert alike["KRAS", "KRAS"] == 1
        assert alike["KRAS", "BRAF"] == alike["BRAF", "KRAS"] > 0.5
        assert alike["KRAS", "NF1"] < -0.5
        assert abs(alike["KRAS", "MTOR"]) < 0.3
        assert (found["layer"], found["frames"]) == ("L2", ["genes_normalized"])
        assert all(one["length"] == pytest.approx(1, abs=1e-5) for one in found["perts"])
        assert 0 < found["bytes_read"] < found["bytes_total"]

    def test_genes_and_compounds_beside_each_other(self, sandbox: Sandbox) -> None:
        ran = sandbox.run("map", "heatmap", "mtor", "REC-0000123", "TSC1", *ON, "--order", "clustered")
        assert "mtor is read as MTOR" in ran.err
        rows = [line.split()[1:] for line in ran.out.splitlines() if line[:2].strip().isdigit()]
        order = [" ".join(row[:3]) if row[0].startswith("REC") else row[0] for row in rows]
        assert order.index("REC-0000123 3 µM") in (order.index("MTOR") - 1, order.index("MTOR") + 1)
        assert sum(name.startswith("REC-0000123") for name in order) == 5
        assert all(row[-len(order) :].count("+1.00") >= 1 for row in rows)
        assert "\x1b" not in ran.out
        assert "Read" in ran.err

    def test_concentrations(self, sandbox: Sandbox) -> None:
        for typed in (("REC-0000123 at 3", "MTOR"), ("REC-0000123", "MTOR", "--at", "3")):
            found = sandbox.run("map", "heatmap", *typed, *ON, "-o", "json").json()
            assert cells(found)["REC-0000123 3.0", "MTOR"] > 0.8
            assert len(found["perts"]) == 2

    def test_what_is_not_there_is_named_and_the_rest_shown(self, sandbox: Sandbox) -> None:
        ran = sandbox.run("map", "heatmap", "KRAS", "BRAC1", "REC-0000123 at 7", *ON, "-o", "json", code=1)
        assert [one["pert"] for one in ran.json()["perts"]] == ["KRAS"]
        assert {one["query"] for one in ran.json()["missing"]} == {"BRAC1", "REC-0000123 at 7"}
        assert "Did you mean BRCA1, REC-0000123 at 10 µM" in ran.err or "REC-0000123 at 3 µM" in ran.err
        assert sandbox.run("map", "heatmap", "BRAC1", *ON, code=1).out == ""

    def test_variant_group_and_layer(self, sandbox: Sandbox) -> None:
        last = sandbox.run("groups", "list", *ON, "-o", "json").json()[-1]["name"]
        ran = sandbox.run(
            "map", "heatmap", "KRAS", "NF1", "--split-by", "--raw", "--group", last, *ON, "-o", "json"
        )  # fmt: skip
        found = ran.json()
        assert (found["group"], found["layer"], found["frames"]) == (last, "L3", ["genes_split_by"])
        assert len(found["perts"]) == 8
        assert "from the bucket" in ran.err
        ran = sandbox.run("map", "heatmap", "KRAS", "--group", last, "--layer", "l2", *ON, code=1)
        assert "Redis holds no frame" in ran.err
        assert "--layer L3" in ran.err

    def test_wrong_usage(self, sandbox: Sandbox, tmp_path: Path) -> None:
        assert "No pert was named" in sandbox.run("map", "heatmap", *ON, code=2).err
        assert "There are: compounds" in sandbox.run("map", "heatmap", "KRAS", "--frame", "gene", *ON, code=1).err
        to = str(tmp_path / "map.jpg")
        assert ".png or .svg" in sandbox.run("map", "heatmap", "KRAS", "--to", to, *ON, code=2).err

    def test_file_plain_and_picture(self, sandbox: Sandbox, tmp_path: Path) -> None:
        (tmp_path / "perts").write_text("KRAS\nNF1  # holds it back\n")
        to = tmp_path / "map.png"
        ran = sandbox.run("map", "heatmap", "--from", str(tmp_path / "perts"), "--to", str(to), *ON, "-o", "plain")
        assert [line.split("\t")[0] for line in ran.out.splitlines()] == ["KRAS", "NF1"]
        assert float(ran.out.splitlines()[0].split("\t")[-1]) < -0.5
        assert to.read_bytes().startswith(b"\x89PNG")
        assert "there already" in sandbox.run("map", "heatmap", "KRAS", "--to", str(to), *ON, code=5).err


class TestProjection:
    def test_active_compound_runs_down_and_to_the_right(self, sandbox: Sandbox) -> None:
        found = sandbox.run("map", "projection", "REC-0000123", "--target", "MTOR", *ON, "-o", "json").json()
        (line,) = found["lines"]
        assert line["heading"] == "toward"
        points = line["points"]
        assert [point["pert"]["concentration"] for point in points] == [0.03, 0.1, 0.3, 1.0, 3.0]
        along, away = [point["projection"] for point in points], [point["rejection"] for point in points]
        assert along == sorted(along)
        assert away == sorted(away, reverse=True)
        assert (along[0], away[0]) == pytest.approx((0, 1), abs=0.1)
        assert along[-1] > 0.8
        assert all(x * x + y * y == pytest.approx(1, abs=1e-4) for x, y in zip(along, away, strict=True))

    def test_picture(self, sandbox: Sandbox, tmp_path: Path) -> None:
        to = tmp_path / "plane.svg"
        ran = sandbox.run("map", "projection", "REC-0000123", "TSC1", "-t", "MTOR", "--to", str(to), *ON)
        for expected in ("control", "○", "a   REC-0000123", "B   TSC1", "toward it", "away from it"):
            assert expected in ran.out
        assert "REC-0000123: toward it" in to.read_text("utf-8")

    def test_targets(self, sandbox: Sandbox) -> None:
        ran = sandbox.run("map", "projection", "REC-0000123", "-t", "REC-0000123", *ON, code=2)
        assert "--target 'REC-0000123 at 3'" in ran.err
        assert "Did you mean MTOR" in sandbox.run("map", "projection", "REC-0000123", "-t", "MTRO", *ON, code=1).err


class TestConsistency:
    def test_replicates_agree(self, sandbox: Sandbox) -> None:
        found = sandbox.run("map", "consistency", "KRAS", "REC-0000123 at 3", *ON, "-o", "json").json()
        gene, compound = found["replicates"]
        assert (gene["pert"], gene["verdict"], gene["experiments"]) == ("KRAS", "agree", 4)
        assert gene["mean"] > 0.7
        assert abs(gene["chance"]["mean"]) < 0.2
        assert gene["chance"]["p"] < 0.01
        assert gene["chance"]["draws"] == 1000
        assert len(gene["matrix"]) == len(gene["perts"]) == 4
        assert (compound["concentration"], compound["experiments"]) == (3.0, 3)

    def test_table(self, sandbox: Sandbox) -> None:
        ran = sandbox.run("map", "consistency", "KRAS", "--raw", *ON)
        assert "KRAS: agree" in ran.out
        assert "GEM-0101" in ran.out
        ran = sandbox.run("map", "consistency", "KRAS", "--frame", "genes", *ON, code=1)
        assert "genes_split_by_normalized" in ran.err
