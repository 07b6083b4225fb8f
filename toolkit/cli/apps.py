"""How the command modules make their Typer apps: plain help that says each command's whole first sentence."""

from __future__ import annotations

import inspect
from typing import Any

import typer
from typer.core import TyperGroup

from toolkit.cli import typed


class WholeSentences(TyperGroup):
    """Lists its commands with their first sentence in full; Typer would cut it to one line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        lines = [(name, _first_sentence(command.help or "")) for name, command in commands if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(lines)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        typed.word(ctx, args)
        return super().resolve_command(ctx, args)


def command_group(help: str) -> typer.Typer:  # noqa: A002 - as Typer calls it
    """The app of a module with several commands."""
    return typer.Typer(cls=WholeSentences, help=help, no_args_is_help=True, rich_markup_mode=None, add_completion=False)


def single_command(help: str) -> typer.Typer:  # noqa: A002
    """The app of a module with one command, which then needs no name of its own."""
    return typer.Typer(help=help, rich_markup_mode=None, add_completion=False)


def _first_sentence(text: str) -> str:
    paragraph = " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
    sentence, stop, _ = paragraph.partition(". ")
    return sentence + "." if stop else paragraph
