"""Logging in to Vault without leaving the app: by token or by user name and password; other ways are told.

What is typed is masked, handed to Vault once, and kept in no field.
"""

from __future__ import annotations

from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from toolkit.figures import duration
from toolkit.secret import Secret, scrub
from toolkit.tui import background
from toolkit.tui.about import About
from toolkit.tui.background import as_problem, in_thread
from toolkit.tui.house import house
from toolkit.tui.registry import act, bindings
from toolkit.tui.widgets.footer import Footer


class Field(Input):
    """A field of the dialogue; enter logs in."""

    ABOUT = About("Logging in", "What is typed here is masked, given to Vault once, and kept in no field.")

    def __init__(self, id: str, placeholder: str, *, password: bool = False) -> None:  # noqa: A002
        super().__init__(placeholder=placeholder, id=id, password=password)
        self._bindings.key_to_bindings["enter"] = [act("login.go").binding()]


class Login(ModalScreen[bool]):
    """Gives back whether somebody is logged in now."""

    SCOPE = "login"
    BINDINGS = bindings("login")
    AUTO_FOCUS = None

    DEFAULT_CSS = """
    Login {
        align: center middle; background: $background 60%;
        #login {
            width: 90%; max-width: 84; height: auto; background: $surface; padding: 0 1;
            border: round $primary; border-title-color: $primary; border-title-style: bold;
        }
        Field, Field:focus { height: 1; border: none; padding: 0 1; background: $panel; margin-top: 1; }
        #said, #told { height: auto; margin-top: 1; }
        #told { color: $text-muted; }
        &.-token #user { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._method = "token"
        self._going = False

    def compose(self) -> ComposeResult:
        box = Vertical(id="login")
        box.border_title = "Log in to Vault"
        with box:
            yield Static("", id="where")
            yield Field("user", "user name in Vault")
            yield Field("secret", "", password=True)
            yield Static("", id="said")
            yield Static("", id="told")
        yield Footer()

    def on_mount(self) -> None:
        configured, address = house(self).opened().core.login_methods()
        self.query_one("#where", Static).update(Content(f"{address}; configured: {configured}"))
        self._method = "userpass" if configured == "userpass" else "token"
        name = house(self).opened().environment.name
        told = Content.assemble("Any other way (oidc, approle …): ", (f"toolkit vault login --env {name}", "bold"))
        self.query_one("#told", Static).update(Content.assemble(told, "; then r here asks again."))
        self._show()

    def _show(self) -> None:
        self.set_class(self._method == "token", "-token")
        self.query_one("#secret", Field).placeholder = "password" if self._method == "userpass" else "Vault token"
        self.query_one("#user" if self._method == "userpass" else "#secret", Field).focus()

    def action_other_method(self) -> None:
        self._method = "token" if self._method == "userpass" else "userpass"
        self.query_one("#secret", Field).value = ""
        self._show()

    def action_go(self) -> None:
        field = self.query_one("#secret", Field)
        user = self.query_one("#user", Field).value.strip() if self._method == "userpass" else ""
        if self._method == "userpass" and not user:
            self._say("Type the user name first.", "bold $text-error")
            self.query_one("#user", Field).focus()
        elif not field.value:
            field.focus()
        elif not self._going:
            self._going = True
            secret, field.value = Secret(field.value), ""
            self._say("● logging in …", "$text-warning")
            background.work_for(self, partial(self._log_in, user, secret), group="login", exit_on_error=False)

    async def _log_in(self, user: str, secret: Secret) -> None:
        core = house(self).opened().core
        try:
            done = await in_thread(lambda: core.log_in(user, secret), "log in")
        except Exception as error:  # noqa: BLE001 - said here; the dialogue stays
            problem = as_problem(error)
            hint = f"\n{problem.hint}" if problem.hint else ""
            self._say(scrub(f"✗ {problem.message}{hint}"), "bold $text-error")
            return
        finally:
            self._going = False
        ttl = done.status.ttl_seconds
        left = "for ever" if ttl is None else f"for {duration(ttl)}"
        text = f"{done.status.display_name or 'The token'} is good {left}. {done.note}".strip()
        self.notify(scrub(text), title="Logged in", severity="warning" if done.note else "information")
        self.dismiss(True)

    def _say(self, text: str, style: str) -> None:
        self.query_one("#said", Static).update(Content.styled(text, style))

    @on(Input.Changed)
    def _typing(self, event: Input.Changed) -> None:
        if event.value:
            self._say("", "")

    def action_close(self) -> None:
        self.dismiss(False)
