"""The command palette: every action of the registry, found by typing a part of its name; and every environment."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from toolkit.tui.house import house
from toolkit.tui.registry import ACTS, PAGES, SCOPES, Act


class Commands(Provider):
    """The actions that make sense where we are: this screen's first, then the others'."""

    async def discover(self) -> Hits:
        for act in self._acts():
            yield DiscoveryHit(self._name(act), partial(self._run, act), text=self._name(act), help=act.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for act in self._acts():
            name = self._name(act)
            score = max(matcher.match(name), 0.8 * matcher.match(act.help))
            if score > 0:
                yield Hit(score, matcher.highlight(name), partial(self._run, act), text=name, help=act.help)

    def _acts(self) -> list[Act]:
        page = house(self.screen).page
        listed = [act for act in ACTS if act.palette]
        return sorted(listed, key=lambda act: act.scope != page)

    def _name(self, act: Act) -> str:
        where = "" if act.scope == "app" else f"{SCOPES[act.scope]}: "
        return f"{where}{act.label}  [{shown(act.key)}]"

    async def _run(self, act: Act) -> None:
        app = house(self.screen)
        if act.scope in PAGES and act.scope != app.page:
            app.action_go(act.scope)
        await app.run_action(act.action, app.screen if act.scope in PAGES else app)


def shown(key: str) -> str:
    """A key as people write it: `?` for question_mark, `^p` for ctrl+p."""
    first, *others = key.split(",")
    names = {"question_mark": "?", "colon": ":", "escape": "esc"}
    text = names.get(first, first).replace("ctrl+", "^")
    return " ".join([text, *(shown(other) for other in others)])
