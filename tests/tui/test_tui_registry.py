"""One registry feeds keys, footer, palette and help."""

from __future__ import annotations

from collections import Counter

import pytest
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget
from tui_driving import driven

from toolkit.drills import ways
from toolkit.tui.app import ToolkitApp
from toolkit.tui.pages import page_class
from toolkit.tui.registry import ACTS, PAGES, SCOPES, acts, page_key, shown
from toolkit.tui.screens.ask import Ask
from toolkit.tui.screens.bucket_deleted import DeletedPage
from toolkit.tui.screens.drill import DrillPage
from toolkit.tui.screens.drill_answer import AnswerPage
from toolkit.tui.screens.environments import Choices, Environments
from toolkit.tui.screens.find_pert import FindPert
from toolkit.tui.screens.frames import FramesPage
from toolkit.tui.screens.gate import Gate
from toolkit.tui.screens.groups_diff import DiffPage
from toolkit.tui.screens.groups_inspect import InspectPage
from toolkit.tui.screens.help import text
from toolkit.tui.screens.jump import Jump
from toolkit.tui.screens.leave import Leave
from toolkit.tui.screens.login import Login
from toolkit.tui.screens.logs_on_top import OnTop
from toolkit.tui.screens.map_picture import PicturePage
from toolkit.tui.screens.markdown_page import MarkdownPage
from toolkit.tui.screens.pert import PertPage
from toolkit.tui.screens.perts import PertsPage
from toolkit.tui.screens.text_page import TextPage
from toolkit.tui.screens.transfers import TransfersPage
from toolkit.tui.screens.walk import WalkPage
from toolkit.tui.screens.why import MapChoice, WhyPage
from toolkit.tui.widgets import drill_text
from toolkit.tui.widgets.filter import Filter
from toolkit.tui.widgets.findings import FindingList
from toolkit.tui.widgets.table import Rows

OWNERS: dict[str, list[type]] = {
    "app": [ToolkitApp],
    "list": [Rows, FindingList, Choices],
    "environments": [Environments],
    "filter": [Filter],
    "gate": [Gate],
    "jump": [Jump],
    "login": [Login],
    "leave": [Leave],
    "bucket-deleted": [DeletedPage],
    "dialogue": [TextPage, MarkdownPage],
    "walk": [WalkPage],
    "drill": [DrillPage],
    "drill-answer": [AnswerPage],
    "why": [WhyPage],
    "why-asked": [MapChoice],
    "logs-on-top": [OnTop],
    "ask": [Ask],
    "download": [TransfersPage],
    "find-pert": [FindPert],
    "frames": [FramesPage],
    "groups-diff": [DiffPage],
    "groups-inspect": [InspectPage],
    "pert": [PertPage],
    "perts": [PertsPage],
    "picture": [PicturePage],
    **{page: [page_class(page)] for page in PAGES},
}

# A scope of widgets whose screen does it.
ON_SCREEN: dict[str, list[type]] = {"why-asked": [WhyPage]}


def _own(owner: type) -> list[Binding]:
    return [item for item in owner.__dict__["BINDINGS"] if isinstance(item, Binding)]


def test_every_action_has_one_id_and_no_key_means_two_things_in_one_place() -> None:
    assert not [name for name, times in Counter(act.id for act in ACTS).items() if times > 1]
    for scope in SCOPES:
        keys = [key for act in acts(scope) for key in act.key.split(",")]
        assert not [key for key, times in Counter(keys).items() if times > 1], scope
    everywhere = {key for act in acts("app") for key in act.key.split(",")}
    for page in PAGES:
        assert not everywhere & {key for act in acts(page) for key in act.key.split(",")}, page


def test_every_binding_of_ours_comes_from_the_registry_and_can_be_remapped() -> None:
    assert set(OWNERS) == set(SCOPES)
    for scope, owners in OWNERS.items():
        for owner in owners:
            ids = {binding.id for binding in _own(owner)}
            assert None not in ids, owner
            assert {act.id for act in acts(scope)} <= ids, owner


def test_every_action_can_be_carried_out() -> None:
    for act in ACTS:
        name = act.action.partition("(")[0]
        owners = OWNERS[act.scope]
        if name.startswith("screen."):
            owners, name = ON_SCREEN.get(act.scope, OWNERS[act.scope]), name.removeprefix("screen.")
        elif name.startswith("app."):
            owners, name = [ToolkitApp], name.removeprefix("app.")
        for owner in owners:
            assert hasattr(owner, f"action_{name}"), (act.id, owner)


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_the_help_names_every_key(scope: str) -> None:
    help_text = text(scope).plain
    for act in ACTS:
        assert any(shown(act.key) in line and act.help in line for line in help_text.splitlines()), act.id
    assert help_text.startswith(SCOPES[scope])


async def test_the_palette_offers_every_action_and_does_it() -> None:
    async with driven() as app:
        await app.see("nothing needs you")
        await app.press("ctrl+p")
        await app.see("Search for commands")
        from textual.command import CommandList

        listed = app.app.screen.query_one(CommandList)
        wanted = {act.label for act in ACTS if act.palette}
        await app.until(lambda: listed.option_count >= len(wanted))
        offered = "\n".join(str(listed.get_option_at_index(n).prompt) for n in range(listed.option_count))
        assert not [label for label in wanted if label not in offered]
        await app.type("verify")
        await app.see("Journal: Verify")
        await app.press("enter")
        await app.see("7 Journal", "0 entries, unbroken")


async def test_the_palette_starts_a_rebuild_from_anywhere() -> None:
    async with driven() as app:
        await app.press("3", "ctrl+p")
        await app.see("Search for commands")
        await app.type("rebuild")
        await app.see("Jobs: Rebuild …")
        await app.press("down", "enter") if "4" in app.text.split("Jobs: Rebuild")[0] else await app.press("enter")
        await app.until(lambda: app.app.current_mode == "jobs")


@pytest.mark.parametrize("page", PAGES)
async def test_the_footer_shows_this_pages_keys(page: str) -> None:
    async with driven() as app:
        await app.press(page_key(page))
        for act in acts(page):
            if act.footer:
                await app.until(lambda act=act: f"{shown(act.key)} {act.label}" in app.text.splitlines()[-1], act.id)


async def test_a_key_can_be_remapped_by_its_id() -> None:
    async with driven() as app:
        app.app.set_keymap({"app.groups": "g", "jobs.rebuild": "ctrl+b"})
        await app.press("2")
        assert app.app.page == "home"
        await app.press("g")
        await app.see("2 Groups")
        await app.press("4")
        await app.see("^b Rebuild")


def test_every_widget_of_ours_that_takes_the_focus_says_what_it_is() -> None:
    for page in PAGES:
        page_class(page)
    todo: list[type[Widget]] = [Widget]
    while todo:
        owner = todo.pop()
        todo += owner.__subclasses__()
        if owner.__module__.startswith("toolkit.") and owner.can_focus and not issubclass(owner, Screen):
            assert hasattr(owner, "ABOUT"), owner


async def test_the_footer_and_the_help_agree_with_what_the_keys_do() -> None:
    """Every key that works on a page is the registry's (or of a widget of Textual's), and stands in the help."""
    async with driven() as app:
        for page in PAGES:
            await app.press(page_key(page))
            await app.until(lambda page=page: app.app.page == page and app.app.focused is not None, page)
            listed = text(page).plain
            known = {act.id: act for act in ACTS}
            for _, binding, _, _ in app.app.screen.active_bindings.values():
                if binding.id is not None:
                    assert known[binding.id].help in listed, binding
            app.world.asked.clear()


async def test_help_opens_on_the_screen_one_is_on() -> None:
    async with driven() as app:
        await app.press("3", "question_mark")
        await app.see("Help: keys", "The bucket", "Folders open with →", "Open or close the folder in focus.")
        await app.press("escape", "7", "f1")
        await app.see("Is the journal as it was written?")


def test_widgets_of_ours_have_no_binding_outside_the_registry() -> None:
    known = {act.id for act in ACTS}
    todo: list[type[Widget]] = [Widget]
    while todo:
        owner = todo.pop()
        todo += owner.__subclasses__()
        if owner.__module__.startswith("toolkit."):
            for binding in owner.__dict__.get("BINDINGS", ()):
                assert isinstance(binding, Binding), owner
                assert binding.id in known, owner


async def test_a_click_on_a_key_in_the_footer_presses_it() -> None:
    async with driven() as app:
        await app.see("nothing needs you", "? Help")
        await app.pilot.click("Footer", offset=(app.text.splitlines()[-1].index("? Help") + 3, 0))
        await app.see("Help: keys")


def test_the_places_that_a_drill_names_are_there() -> None:
    known = {act.id for act in ACTS}
    assert set(drill_text.HERE.values()) <= known
    changes = {"app restart", "cache rebuild"}
    assert set(drill_text.HERE) <= changes | {command.words for command in ways.COMMANDS}
