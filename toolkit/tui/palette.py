"""The command palette: every action of the registry, found by typing a part of its name; and every environment."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from toolkit.tui.acts.act import Act
from toolkit.tui.house import house
from toolkit.tui.registry import ACTS, PAGES, SCOPES


class Commands(Provider):
    """The actions that make sense where we are: this screen's first, then the others'."""

    async def discover(self) -> Hits:
        for act in self._acts():
            name = self._name(act)
            yield DiscoveryHit(self._with_key(Content(name), act), partial(self._run, act), text=name, help=act.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for act in self._acts():
            name = self._name(act)
            score = max(matcher.match(name), 0.8 * matcher.match(act.help))
            if score > 0:
                drawn = self._with_key(matcher.highlight(name), act)
                yield Hit(score, drawn, partial(self._run, act), text=name, help=act.help)

    def _acts(self) -> list[Act]:
        page = house(self.screen).page
        listed = [act for act in ACTS if act.palette]
        return sorted(listed, key=lambda act: act.scope != page)

    def _name(self, act: Act) -> str:
        where = "" if act.scope == "app" else f"{SCOPES[act.scope]}: "
        return f"{where}{act.label}"

    async def _run(self, act: Act) -> None:
        app = house(self.screen)
        if act.scope in PAGES and act.scope != app.page:
            await app.action_go(act.scope)
            if act.scope != app.page:
                return  # there is no environment to do it in yet
        await app.run_action(act.action, app.screen if act.scope in PAGES else app)

    def _with_key(self, name: Content, act: Act) -> Content:
        return Content.assemble(name, ("  " + house(self.screen).keys.written(act), "$text-accent"))
