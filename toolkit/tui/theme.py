"""The app's own two themes: calm, one dark and one light. Red is kept for what is protected or broken.

Every theme of Textual's can be chosen too: `defaults` gives it the colours that it does not know of. The `ansi` ones
use the terminal's own sixteen colours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from textual.theme import Theme

DARK = Theme(
    name="toolkit-dark",
    primary="#7aa7d9",
    secondary="#5f84ad",
    accent="#d3a26a",
    success="#74c096",
    warning="#e3b65b",
    error="#ee7b70",
    foreground="#d6dce4",
    background="#11151b",
    surface="#161b23",
    panel="#222a36",
    dark=True,
    variables={
        "banner": "#1d2939",
        "banner-text": "#d6dce4",
        "banner-protected": "#b3261e",
        "banner-protected-text": "#ffffff",
        "banner-sandbox": "#e3b65b",
        "banner-sandbox-text": "#000000",
        "rule": "#364254",
        "text-muted": "#98a4b2",
        "scrollbar": "#364254",
        "scrollbar-hover": "#4a5a72",
        "scrollbar-active": "#7aa7d9",
        "scrollbar-background": "#161b23",
        "scrollbar-background-hover": "#161b23",
        "scrollbar-background-active": "#161b23",
        "scrollbar-corner-color": "#161b23",
        "block-cursor-background": "#26405c",
        "block-cursor-foreground": "#f2f5f9",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#1f2937",
        "block-cursor-blurred-foreground": "#d6dce4",
        "footer-background": "#161b23",
        "footer-key-foreground": "#d3a26a",
        "input-cursor-background": "#d6dce4",
    },
)

LIGHT = Theme(
    name="toolkit-light",
    primary="#23588c",
    secondary="#47678d",
    accent="#8f5410",
    success="#22703f",
    warning="#815603",
    error="#ad2a20",
    foreground="#20262d",
    background="#f7f6f2",
    surface="#efede7",
    panel="#e3e0d7",
    dark=False,
    variables={
        "banner": "#dbe3ec",
        "banner-text": "#20262d",
        "banner-protected": "#b3261e",
        "banner-protected-text": "#ffffff",
        "banner-sandbox": "#f0c35f",
        "banner-sandbox-text": "#000000",
        "rule": "#c3bfb2",
        "text-muted": "#5a5f65",
        "scrollbar": "#c3bfb2",
        "scrollbar-hover": "#a9a494",
        "scrollbar-active": "#23588c",
        "scrollbar-background": "#efede7",
        "scrollbar-background-hover": "#efede7",
        "scrollbar-background-active": "#efede7",
        "scrollbar-corner-color": "#efede7",
        "block-cursor-background": "#c9d8ea",
        "block-cursor-foreground": "#11161c",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#e2e7ec",
        "block-cursor-blurred-foreground": "#20262d",
        "footer-background": "#e9e6de",
        "footer-key-foreground": "#8f5410",
        "input-cursor-background": "#20262d",
    },
)

THEMES = (DARK, LIGHT)
_OTHER = {DARK.name: LIGHT.name, "ansi-dark": "ansi-light"}

_ANSI = {
    "banner": "ansi_blue",
    "banner-text": "ansi_bright_white",
    "banner-protected": "ansi_red",
    "banner-protected-text": "ansi_bright_white",
    "banner-sandbox": "ansi_yellow",
    "banner-sandbox-text": "ansi_black",
    "rule": "ansi_bright_black",
}


def defaults(theme: Theme) -> dict[str, str]:
    """The colours that the screens use and `theme` may not have."""
    if theme.ansi:
        return _ANSI
    made = theme.to_color_system().generate()
    return {
        "banner": made["panel"],
        "banner-text": made["foreground"],
        "banner-protected": "#b3261e",
        "banner-protected-text": "#ffffff",
        "banner-sandbox": "#e3b65b",
        "banner-sandbox-text": "#000000",
        "rule": made["panel-lighten-2"] if theme.dark else made["panel-darken-2"],
    }


def named(name: str, known: Iterable[str]) -> str:
    """What to write instead of `name`."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known))}."


def other(theme: Theme) -> str:
    """The light one for a dark theme, and the other way round, as near to it as there is."""
    pairs = {**_OTHER, **{light: dark for dark, light in _OTHER.items()}}
    return pairs.get(theme.name, LIGHT.name if theme.dark else DARK.name)
