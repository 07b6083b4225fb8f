"""The lines at the top are drawn anew where something has changed, and only there."""

from __future__ import annotations

from typing import Any

import pytest
from tui_driving import driven

from toolkit.tui.widgets.banner import Banner, Navigation


async def test_they_are_drawn_when_they_change_and_not_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    async with driven(size=(120, 40)) as app:
        await app.see("nothing needs you", "vault 42m left")
        lines: list[Any] = [app.app.screen.query_one(kind) for kind in (Banner, Navigation)]
        drawn: list[str] = []
        for kind, line in zip(("Banner", "Navigation"), lines, strict=True):
            monkeypatch.setattr(line, "refresh", lambda *_, kind=kind, **__: drawn.append(kind))
        for line in lines:
            line.look()
        assert drawn == []
        app.app.opened().who = "somebody-else"
        for line in lines:
            line.look()
        assert drawn == ["Banner"]


async def test_a_change_of_who_one_is_is_seen_by_itself() -> None:
    async with driven(size=(120, 40)) as app:
        await app.see("vault 42m left")
        app.app.opened().who = "somebody-else"
        await app.see("somebody-else · vault")
