"""Templates in runbooks: jinja2 in its immutable sandbox, where a name that is not known is an error.

What a template sees: the inputs and answers by name, `env`, `checks[NAME]` and `actions[NAME]`. In a `sh` block every
value is quoted for the shell.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import Failed

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

KNOWN: Final = ("env", "checks", "actions")
_LONGEST: Final = 100_000


@cache
def _environment(quoted: bool = False) -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, finalize=_quoted if quoted else None, autoescape=False, keep_trailing_newline=True
    )
    made.globals.clear()  # range() and lipsum() can be asked for more than there is room for
    return made


def render(text: str, context: Mapping[str, Any], *, quoted: bool = False) -> str:
    """`text` filled in. Raises Failed for an unknown name or a template that is wrong."""
    if "{" not in text:
        return text
    return str(_run(lambda: _environment(quoted).from_string(text).render(context), text))[:_LONGEST]


def holds(condition: str, context: Mapping[str, Any]) -> bool:
    """Whether a condition is true. Raises Failed for an unknown name or a condition that is wrong."""
    return bool(_run(lambda: _environment().compile_expression(condition, undefined_to_none=False)(context), condition))


def wrong(text: str, *, condition: bool = False) -> tuple[int, str] | None:
    """What is wrong with a template's form: the line in it, from 1, and the reason. None: nothing."""
    from jinja2 import TemplateSyntaxError

    try:
        if condition:
            _environment().compile_expression(text)
        else:
            _environment().parse(text)
    except TemplateSyntaxError as error:
        return error.lineno, error.message or "wrong template"
    return None


def names(text: str, *, condition: bool = False) -> frozenset[str]:
    """The names a template asks for; none for one whose form is wrong."""
    from jinja2 import TemplateSyntaxError, meta

    try:
        return frozenset(meta.find_undeclared_variables(_environment().parse(_as_template(text, condition))))
    except TemplateSyntaxError:
        return frozenset()


def asked_for(text: str, *, condition: bool = False) -> frozenset[tuple[str, str]]:
    """What a template looks up by name in `checks` and `actions`: ("checks", "pert-in-cache")."""
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = _environment().parse(_as_template(text, condition))
    except TemplateSyntaxError:
        return frozenset()
    return frozenset(
        (item.node.name, str(item.arg.value))
        for item in tree.find_all(nodes.Getitem)
        if isinstance(item.node, nodes.Name)
        and item.node.name in ("checks", "actions")
        and isinstance(item.arg, nodes.Const)
    )


def _as_template(text: str, condition: bool) -> str:
    return "{{ (" + text + ") }}" if condition else text


def _run(work: Any, text: str) -> Any:
    from jinja2 import TemplateError

    try:
        return work()
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Failed(
            f"The template {text.strip()[:200]!r} cannot be filled in: {error}.",
            hint="`toolkit runbook lint` names the line.",
        ) from error


def _quoted(value: Any) -> str:
    from jinja2 import Undefined

    return str(value) if isinstance(value, Undefined) else shlex.quote(str(value))
