"""From page to page: in one drawing, with the styles and the size that hold by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from textual.app import App
from textual.css import stylesheet
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.screen import Screen
from tui_driving import Driver, driven

from toolkit.tui.stylesheet import kept_pieces
from toolkit.tui.widgets.table import Rows


def _counted(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, calls: Counter[str]) -> None:
    real: Callable[..., Any] = getattr(owner, name)

    def counting(self: Any, *arguments: Any, **named: Any) -> Any:
        calls[name] += 1
        return real(self, *arguments, **named)

    monkeypatch.setattr(owner, name, counting)


def _ground(app: Driver) -> Any:
    return app.app.screen.query_one(Rows).background_colors[1]


async def test_a_page_that_comes_back_is_shown_without_a_wait_and_without_reading_any_style_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: Counter[str] = Counter()
    async with driven() as app:
        await app.see("nothing needs you")
        await app.press("2")
        await app.see("number 1 of the dropdown")
        _counted(monkeypatch, Stylesheet, "reparse", calls)
        _counted(monkeypatch, App, "delay_update", calls)
        _counted(monkeypatch, Screen, "update_node_styles", calls)
        await app.press("1")
        await app.see("nothing needs you")
        await app.press("2")
        await app.see("number 1 of the dropdown")
        assert calls == {}


async def test_another_theme_holds_on_the_pages_that_were_not_shown() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see("number 1 of the dropdown")
        dark = _ground(app)
        await app.press("7")
        await app.see("7 Journal")
        app.app.action_toggle_theme()
        await app.until(lambda: _ground(app) != dark, "the other theme")
        light = _ground(app)
        await app.press("2")
        await app.see("number 1 of the dropdown")
        assert _ground(app) == light
        await app.press("4")  # new under this theme
        await app.see("cronjob")
        assert _ground(app) == light
        app.app.action_toggle_theme()
        await app.press("2")
        await app.until(lambda: _ground(app) == dark, "the first theme again")


async def test_another_theme_holds_on_the_environments_too() -> None:
    async with driven() as app:
        await app.see("nothing needs you")
        app.app.action_toggle_theme()
        await app.press("e")
        await app.see("Choose an environment")
        assert app.app.current_theme.dark is False
        assert app.app.screen.background_colors[1].brightness > 0.5


async def test_another_size_holds_on_the_pages_that_were_not_shown() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see("number 1 of the dropdown")
        assert app.app.screen.has_class("-narrow", "-short")
        await app.press("1")
        await app.pilot.resize_terminal(120, 40)
        await app.press("2")
        await app.until(lambda: app.app.screen.has_class("-wide", "-tall"), "a wide page")
        assert not app.app.screen.has_class("-narrow")
        assert app.app.screen.size.width == 120
        await app.press("4")
        await app.see("cronjob")
        assert app.app.screen.has_class("-wide", "-tall")


async def test_a_layout_that_was_overlooked_is_made_soon() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see("number 1 of the dropdown")
        table = app.app.screen.query_one(Rows)
        await app.until(lambda: table.size.height > 0, "rows")
        screen = app.app.screen
        table.styles.display = "none"
        screen._layout_required = True  # as it is left where the screen was hidden when it was asked for
        await app.until(lambda: not screen._layout_required, "the layout")


async def test_no_piece_of_css_is_parsed_twice_for_a_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for a page's first visit, nor when a theme comes back."""
    parsed: Counter[object] = Counter()
    real = stylesheet.parse

    def parsing(scope: str, css: str, read_from: object, *arguments: Any, **named: Any) -> Any:
        parsed[read_from] += 1
        return real(scope, css, read_from, *arguments, **named)

    async with driven() as app:
        await app.see("nothing needs you")
        kept_pieces.cache_clear()
        app.app.action_toggle_theme()
        await app.pilot.pause()
        monkeypatch.setattr(stylesheet, "parse", parsing)
        await app.press("2")
        await app.see("number 1 of the dropdown")
        assert parsed, "a page has styles of its own"
        app.app.action_toggle_theme()
        await app.press("4")
        await app.see("cronjob")
        app.app.action_toggle_theme()
        await app.press("1")
        await app.see("nothing needs you")
        assert max(parsed.values()) <= 2, "once a theme"


async def test_a_page_that_is_left_for_a_new_one_does_not_get_its_styles_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async with driven() as app:
        await app.see("nothing needs you")
        left = app.app.screen
        styled: list[object] = []
        real = Stylesheet.update_nodes

        def counting(self: Stylesheet, nodes: Iterable[DOMNode], *arguments: Any, **named: Any) -> None:
            nodes = list(nodes)
            styled.extend(node for node in nodes if left in node.ancestors)
            real(self, nodes, *arguments, **named)

        monkeypatch.setattr(Stylesheet, "update_nodes", counting)
        await app.press("2")
        await app.see("number 1 of the dropdown")
        assert len(styled) < len(left.query("*")) / 2
