"""What can be done everywhere. The acts that show a page are the pages' own."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "app",
    "Everywhere",
    (
        Act("app.refresh", "r", "refresh_page", "Refresh", "Ask again for everything on this screen.", footer=True),
        Act("app.copy", "y", "copy_focused", "Copy", "Copy the row or text in focus to the clipboard.", footer=True),
        Act("app.environments", "e", "environments", "Env", "Choose another environment.", footer=True),
        Act("app.operation", "o", "operation", "Operation", "Show the change that is being carried out, or was last."),
        Act("app.theme", "t", "toggle_theme", "Light/dark", "Change between the dark and the light theme."),
        Act("app.jump", "slash", "jump", "Jump", "Go to any group, folder, job, pod, runbook, pert or page.", True),
        Act("app.why", "W", "why", "Why?", "Why is a pert or group missing, the map odd, or somebody kept out?"),
        Act("app.drill", "D", "drill", "Drill", "In the sandbox: a case to find out, for training; begun, or shown."),
        Act("app.biohive", "S", "biohive", "BioHive", "Does ssh get me into BioHive, and is the toolkit there?"),
        Act("app.loader", "A", "loader", "Auto-loader", "The group auto-loader's settings beside production's."),
        Act("app.login", "L", "login", "Log in", "Log in to Vault anew, and ask everything again."),
        Act("app.palette", "ctrl+p,colon", "command_palette", "Find", "Find any action by name.", True, palette=False),
        Act("app.help", "question_mark,f1", "show_help", "Help", "This help: every key, and what it does.", True),
        Act("app.back", "escape", "back", "Back", "Back to where you came from.", palette=False),
        Act("app.quit", "q", "quit", "Quit", "End the toolkit.", footer=True),
        Act("app.quit-now", "ctrl+q", "quit", "Quit", "End the toolkit, from anywhere.", palette=False, priority=True),
        Act("app.interrupt", "ctrl+c", "help_quit", "Quit", "Twice: end the toolkit.", palette=False),
    ),
)
