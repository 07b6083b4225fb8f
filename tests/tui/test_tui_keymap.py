"""Keys and theme from the configuration: what can be had is had, a mistake is said and costs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_driving import driven
from tui_stand_ins import World

from toolkit.environments import loading
from toolkit.environments.preferences import Tui
from toolkit.errors import ConfigurationError
from toolkit.tui import keymap
from toolkit.tui.registry import act


def test_keys_are_written_as_people_write_them() -> None:
    read, wrong = keymap.read(
        {"app.groups": "m", "app.help": "?, F5", "app.jump": "ctrl+g", "app.bucket": "/"[:0] or "B"}
    )
    assert not wrong
    assert read.key(act("app.groups")) == "m"
    assert read.key(act("app.help")) == "question_mark,f5"
    assert read.written(act("app.jump")) == "^g"
    assert read.key(act("app.home")) == "1"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"app.gruops": "g"}, "There is no action 'app.gruops'; did you mean 'app.groups'?"),
        ({"app.groups": "entr"}, "app.groups: there is no key 'entr'; did you mean 'enter'? It stays on 2."),
        ({"app.groups": "hyprctl+g"}, "there is no key 'hyprctl+g'"),
        ({"app.groups": ""}, "app.groups: no key is given; it stays on 2."),
        ({"app.groups": "q"}, "app.groups: q is app.quit already; it stays on 2."),
        ({"journal.verify": "j"}, "journal.verify: j is list.down already; it stays on v."),
    ],
)
def test_what_cannot_be_had_is_said_and_left_as_it_was(wanted: dict[str, str], said: str) -> None:
    read, wrong = keymap.read(wanted)
    assert not read.changed
    assert said in "\n".join(wrong)


def test_keys_can_be_swapped_and_pages_may_share_one() -> None:
    read, wrong = keymap.read({"app.groups": "3", "app.bucket": "2", "journal.verify": "u", "groups.frames": "u"})
    assert not wrong
    assert len(read.changed) == 4


async def test_a_changed_key_is_in_the_header_the_help_and_the_palette() -> None:
    world = World(preferences=Tui(keys={"app.groups": "m", "app.help": "H"}))
    async with driven(world=world) as app:
        await app.see("m Groups", "H Help")
        await app.press("2")
        assert app.app.page == "home"
        await app.press("m")
        await app.see("number 1 of the dropdown")
        await app.press("H")
        await app.see("Help: keys")
        await app.until(lambda: "  m         Groups" in app.app.screen.query_one("#text")._render().plain)  # type: ignore[attr-defined]
        await app.press("escape", "ctrl+p")
        await app.see("Search for commands")
        await app.type("the groups in")
        await app.see("Groups  m")


async def test_a_broken_keymap_and_theme_are_toasts() -> None:
    world = World(preferences=Tui(theme="toolkit-drak", keys={"app.hom": "h", "app.journal": "q"}))
    async with driven(world=world, size=(120, 40)) as app:
        await app.see("There is no theme 'toolkit-drak'. Did you mean", "'toolkit-dark'?")
        await app.see("There is no action 'app.hom'; did you mean 'app.home'?", "q is app.quit already")
        await app.press("7")
        await app.see("Nothing was changed")


async def test_the_theme_is_chosen_by_name_and_the_variable_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(preferences=Tui(theme="toolkit-light"))
    async with driven(world=world) as app:
        await app.until(lambda: app.app.theme == "toolkit-light", "the light theme")
    monkeypatch.setenv("TOOLKIT_THEME", "ansi-dark")
    async with driven(world=world) as app:
        await app.see("nothing needs you")
        assert app.app.theme == "ansi-dark"
        await app.press("t")
        assert app.app.theme == "ansi-light"


async def test_every_theme_of_textual_can_be_worn() -> None:
    async with driven() as app:
        await app.see("nothing needs you")
        for name in sorted(app.app.available_themes):
            app.app.theme = name
            await app.pilot.pause()
        await app.see("PROTECTED", "✓ ok  nothing needs you")


@pytest.mark.parametrize("theme", ["toolkit-dark", "ansi-dark"])
async def test_without_colour_the_row_in_focus_is_still_seen(monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TOOLKIT_THEME", theme)
    async with driven() as app:
        await app.see("nothing needs you", "✓ ok      configuration")
        rows = app.app.screen._compositor.render_strips()
        drawn = {  # the row under the cursor, and the one below it
            name: [s.style for s in strip if s.style is not None and "ok" in s.text]
            for strip in rows
            for name in ("configuration", "clock")
            if f"✓ ok      {name}" in strip.text
        }
        assert drawn["configuration"] != drawn["clock"]
        for strip in rows:
            for segment in strip:
                for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    if colour is not None and not colour.is_default:
                        red, green, blue = colour.get_truecolor()
                        assert red == green == blue, segment


def test_the_table_is_read_strictly(home: Path) -> None:
    file = home / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    target = loading.paths.config_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text('[tui]\ntheme = "ansi-dark"\n[tui.keys]\n"app.home" = "h"\n')
    assert loading.load().settings.tui == Tui(theme="ansi-dark", keys={"app.home": "h"})
    target.write_text('[tui]\ntheem = "ansi-dark"\n')
    with pytest.raises(ConfigurationError, match=r"unknown key 'tui.theem'; did you mean 'theme'"):
        loading.load()
    target.write_text('[tui.keys]\n"app.home" = 1\n')
    with pytest.raises(ConfigurationError, match=r"tui.keys"):
        loading.load()
