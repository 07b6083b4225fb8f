"""`toolkit why` over the sandbox's scenarios: the right cause, no other, and none where nothing is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Sandbox

from toolkit.sandbox import client
from toolkit.sandbox.scenarios import SCENARIOS

ON = ("--env", "sandbox", "-o", "json")


def asked(sandbox: Sandbox, symptom: dict[str, Any], code: int | None = 1) -> Any:
    pert = [symptom["pert"]] if symptom["pert"] else []
    group = ["--group", symptom["group"]] if symptom["group"] else []
    return sandbox.run("why", *pert, *group, *ON, code=code).json()


def causes(answer: Any) -> list[str]:
    return [one["cause"] for one in answer["verdict"]["causes"]]


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_alone(sandbox: Sandbox, name: str) -> None:
    status = client.apply_scenario([name])
    answer = asked(sandbox, status["symptom"])
    assert causes(answer) == [name], answer
    assert set(answer) == {"question", "verdict", "findings", "ruled_out"}
    assert answer["verdict"]["ours"] or answer["verdict"]["ask"]
    because = answer["verdict"]["causes"][0]["because"]
    assert set(because) <= {finding["check"] for finding in answer["findings"]}
    assert name not in [one["cause"] for one in answer["ruled_out"]]


def test_healthy(sandbox: Sandbox) -> None:
    answer = sandbox.run("why", "BRCA1", *ON, code=0).json()
    assert causes(answer) == ["healthy"]
    assert "Group Label" in answer["verdict"]["ask"]
