"""Logging in to Vault each way it can be done, in the browser above all, and where the token is kept."""

from __future__ import annotations

import http.client
import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from vault_fixtures import REDIS_TOKEN, RunningVault
from vault_fixtures import loop as loop
from vault_fixtures import person as person
from vault_fixtures import running as running

from toolkit.errors import ConfigurationError, ExitCode, Failed, NotAllowed, TimedOut, UsageError
from toolkit.sandbox.vault.logins import Role
from toolkit.secret import Secret
from toolkit.systems.vault.login import AppRole, Gcp, Kubernetes, Pasted, UserPass
from toolkit.systems.vault.oidc import Oidc, Visit

ONCALL = Role(("oncall",), ttl=7200)


@pytest.fixture(autouse=True)
def nobody_logged_in(running: RunningVault) -> None:
    (running.home / ".vault-token").unlink()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# With a password, a secret id, a token


def test_by_password(running: RunningVault) -> None:
    running.do(lambda server: server.add_user("ada", "correct horse", ["oncall"]))
    vault = running.vault()
    done = vault.login(UserPass("ada", Secret("correct horse")))
    assert done.status.display_name == "userpass-ada"
    assert done.kept_in == "~/.vault-token"
    assert mode(running.home / ".vault-token") == 0o600
    assert vault.redis_token().reveal() == REDIS_TOKEN
    assert running.vault().token_status().source == "~/.vault-token"  # the next command has it too


def test_by_a_wrong_password(running: RunningVault) -> None:
    running.do(lambda server: server.add_user("ada", "correct horse", ["oncall"]))
    with pytest.raises(NotAllowed) as caught:
        running.vault().login(UserPass("ada", Secret("battery staple")))
    assert "userpass as ada: invalid username or password" in caught.value.message
    assert "battery staple" not in caught.value.message
    assert not (running.home / ".vault-token").exists()


def test_by_a_method_that_is_not_enabled(running: RunningVault) -> None:
    with pytest.raises(NotAllowed) as caught:
        running.vault().login(UserPass("ada", Secret("correct horse"), mount="ldap-like"))
    assert "auth/ldap-like" in caught.value.hint


def test_by_app_role(running: RunningVault) -> None:
    role_id, secret_id = running.do(lambda server: server.logins.add_approle("reloader", ONCALL))
    done = running.vault().login(AppRole(role_id, Secret(secret_id)))
    assert done.status.policies == ("default", "oncall")
    with pytest.raises(NotAllowed, match="invalid role or secret ID"):
        running.vault().login(AppRole(role_id, Secret("no-secret-id-0f3e")))


def test_by_a_token_that_somebody_has(running: RunningVault) -> None:
    done = running.vault().login(Pasted(Secret(running.token(ttl=600))))
    assert done.status.ttl_seconds is not None
    assert done.status.ttl_seconds <= 600
    with pytest.raises(NotAllowed, match="does not know this token"):
        running.vault().login(Pasted(Secret("hvs.nobody-knows-it")))
    with pytest.raises(UsageError, match="spaces or line breaks"):
        running.vault().login(Pasted(Secret("two\nlines")))


# As a machine


def jwt_file(running: RunningVault, subject: str, audience: str = "", ttl: float = 600) -> str:
    path = running.home / "jwt"
    path.write_text(running.do(lambda server: server.logins.jwt(subject, audience, ttl)) + "\n")
    return str(path)


def test_as_a_pod(running: RunningVault) -> None:
    role = Role(("oncall",), subjects=("system:serviceaccount:ops:toolkit",))
    running.do(lambda server: server.logins.add_role("kubernetes", "toolkit", role))
    file = jwt_file(running, "system:serviceaccount:ops:toolkit")
    assert running.vault().login(Kubernetes("toolkit", file)).status.policies == ("default", "oncall")
    with pytest.raises(NotAllowed, match="invalid role name"):
        running.vault().login(Kubernetes("other", file))
    with pytest.raises(NotAllowed, match="permission denied"):
        running.vault().login(Kubernetes("toolkit", jwt_file(running, "system:serviceaccount:ops:other")))
    with pytest.raises(NotAllowed, match="permission denied"):
        running.vault().login(Kubernetes("toolkit", jwt_file(running, "system:serviceaccount:ops:toolkit", ttl=-1)))


def test_as_a_google_service_account_with_a_jwt(running: RunningVault) -> None:
    running.do(lambda server: server.logins.add_role("gcp", "oncall", ONCALL))
    good = jwt_file(running, "toolkit@rp006.iam.gserviceaccount.com", "vault/oncall")
    assert running.vault().login(Gcp("oncall", good)).status.policies == ("default", "oncall")
    with pytest.raises(NotAllowed, match="permission denied"):
        running.vault().login(Gcp("oncall", jwt_file(running, "toolkit@rp006.iam.gserviceaccount.com", "vault/other")))


@pytest.mark.parametrize("way", [Kubernetes, Gcp])
def test_a_file_that_holds_no_jwt(running: RunningVault, way: type[Kubernetes | Gcp]) -> None:
    (running.home / "jwt").write_text("just words")
    with pytest.raises(UsageError, match="not a JWT"):
        running.vault().login(way("toolkit", str(running.home / "jwt")))
    with pytest.raises(UsageError, match="cannot be read"):
        running.vault().login(way("toolkit", str(running.home / "nowhere")))
    with pytest.raises(UsageError, match="needs a role"):
        running.vault().login(way("", str(running.home / "jwt")))


# Where the token is kept


def test_an_environments_own_token_file_is_the_only_place(
    running: RunningVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "hvs.of-the-real-world")
    file = running.home / "sandbox" / "vault-token"
    done = running.vault(token_file=str(file)).login(Pasted(Secret(running.token())))
    assert done.kept_in == "~/sandbox/vault-token"
    assert done.note == ""
    assert mode(file) == 0o600
    assert not (running.home / ".vault-token").exists()
    assert running.vault(token_file=str(file)).redis_token().reveal() == REDIS_TOKEN


def helper(running: RunningVault, body: str) -> Path:
    path = running.home / "helper.sh"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    (running.home / ".vault").write_text(f'token_helper = "{path}"\n')
    return path


def test_a_token_helper_keeps_it(running: RunningVault) -> None:
    kept = running.home / "kept"
    helper(
        running,
        f'file="{kept}.$(echo "$VAULT_ADDR" | tr -c "a-z0-9\\n" _)"\n'
        'case "$1" in store) cat > "$file";; get) cat "$file";; esac',
    )
    token = running.token()
    done = running.vault().login(Pasted(Secret(token)))
    assert done.kept_in == "token helper ~/helper.sh"
    assert [path.read_text() for path in running.home.glob("kept.*")] == [token]
    assert running.vault().token_status().source == "token helper ~/helper.sh"
    assert not (running.home / ".vault-token").exists()


def test_a_token_helper_that_cannot_keep_it(running: RunningVault) -> None:
    helper(running, 'echo "the keychain is locked" >&2; exit 3')
    with pytest.raises(Failed, match=r"failed at `store` with exit status 3: the keychain is locked"):
        running.vault().login(Pasted(Secret(running.token())))


def test_a_variable_that_hides_the_new_token_is_told(running: RunningVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", running.token())
    done = running.vault().login(Pasted(Secret(running.token())))
    assert "unset it" in done.note


# In the browser


class Browser:
    """Follows redirects as a browser does, on a thread of its own, and remembers the pages that it showed."""

    def __init__(self, bend: Callable[[str], str] = lambda url: url) -> None:
        self.bend = bend
        self.pages: list[tuple[int, str]] = []
        self.threads: list[threading.Thread] = []

    def __call__(self, url: str) -> bool:
        thread = threading.Thread(target=self.visit, args=(url,))
        thread.start()
        self.threads.append(thread)
        return True

    def visit(self, url: str) -> None:
        for _ in range(5):
            status, page, location = get(url)
            if status != 302:
                self.pages.append((status, page))
                return
            url = self.bend(location)

    def close(self) -> None:
        for thread in self.threads:
            thread.join(10)


def get(url: str) -> tuple[int, str, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.getheader("Location", "")
    finally:
        connection.close()


@pytest.fixture
def oidc_role(running: RunningVault) -> None:
    running.do(lambda server: server.logins.add_role("oidc", "oncall", ONCALL))


@pytest.mark.usefixtures("oidc_role")
def test_in_the_browser(running: RunningVault) -> None:
    browser, told = Browser(), list[Visit]()
    done = running.vault().login(Oidc("oncall", port=0, open_browser=browser, tell=told.append))
    browser.close()
    assert done.status.display_name == "oidc-on-call@sandbox.test"
    assert done.status.policies == ("default", "oncall")
    assert [status for status, _ in browser.pages] == [200]
    assert "You are logged in" in browser.pages[0][1]
    assert told[0].opened
    assert told[0].url.startswith(running.url)


@pytest.mark.usefixtures("oidc_role")
def test_in_the_browser_with_the_mounts_default_role(running: RunningVault) -> None:
    running.do(lambda server: server.logins.default_role.update(oidc="oncall"))
    browser = Browser()
    assert running.vault().login(Oidc(port=0, open_browser=browser)).status.policies == ("default", "oncall")
    browser.close()


@pytest.mark.usefixtures("oidc_role")
def test_an_answer_to_another_login_is_sent_away(running: RunningVault) -> None:
    """A page that guesses the listener cannot log the engineer in as somebody else."""
    pages: list[tuple[int, str]] = []

    def browse(url: str) -> bool:
        query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        back = query["redirect_uri"]
        pages.append(get(f"{back}?{urlencode({'code': 'forged', 'state': 'forged'})}")[:2])
        pages.append(get(f"{back}?code=forged")[:2])
        pages.append(get(back.replace("/oidc/callback", "/favicon.ico"))[:2])
        return browser(url)

    browser = Browser()
    done = running.vault().login(Oidc("oncall", port=0, open_browser=browse))
    browser.close()
    assert [status for status, _ in pages] == [400, 400, 404]
    assert "another login" in pages[0][1]
    assert done.status.policies == ("default", "oncall")


@pytest.mark.usefixtures("oidc_role")
def test_a_code_that_vault_does_not_accept(running: RunningVault) -> None:
    browser = Browser(bend=lambda url: url.replace("code=", "code=x") if "code=" in url else url)
    with pytest.raises(NotAllowed) as caught:
        running.vault().login(Oidc("oncall", port=0, open_browser=browser))
    browser.close()
    assert "Error exchanging oidc code" in caught.value.message
    assert browser.pages[0][0] == 400
    assert "Login failed" in browser.pages[0][1]


@pytest.mark.usefixtures("oidc_role")
def test_the_identity_provider_says_no(running: RunningVault) -> None:
    running.do(lambda server: setattr(server.logins, "refuses", True))
    browser = Browser()
    with pytest.raises(NotAllowed) as caught:
        running.vault().login(Oidc("oncall", port=0, open_browser=browser))
    browser.close()
    assert "The user is not assigned to this application" in caught.value.message
    assert caught.value.exit_code is ExitCode.NOT_ALLOWED


@pytest.mark.usefixtures("oidc_role")
def test_what_the_browser_brings_is_shown_harmlessly(running: RunningVault) -> None:
    evil = urlencode({"error_description": "<script>alert(1)</script>\x1b[31m"})
    browser = Browser(bend=lambda url: f"{url.split('?')[0]}?{evil}&state={parse_qs(urlsplit(url).query)['state'][0]}")
    with pytest.raises(NotAllowed) as caught:
        running.vault().login(Oidc("oncall", port=0, open_browser=browser))
    browser.close()
    assert "\x1b" not in caught.value.message
    assert "<script>" not in browser.pages[0][1]


@pytest.mark.usefixtures("oidc_role")
def test_nobody_comes_back(running: RunningVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 5000 10.0.0.2 22")
    told: list[Visit] = []
    with pytest.raises(TimedOut) as caught:
        running.vault().login(
            Oidc("oncall", port=0, timeout_seconds=0.1, open_browser=lambda _: False, tell=told.append)
        )
    assert "within 0.1 s" in caught.value.message
    assert not told[0].opened
    assert "ssh -L" in told[0].hint


@pytest.mark.usefixtures("oidc_role")
def test_two_logins_at_once(running: RunningVault) -> None:
    def meanwhile(url: str) -> bool:
        port = urlsplit(parse_qs(urlsplit(url).query)["redirect_uri"][0]).port
        with pytest.raises(UsageError, match="in use"):
            running.vault().login(Oidc("oncall", port=port or 0, open_browser=lambda _: True))
        return browser(url)

    browser = Browser()
    running.vault().login(Oidc("oncall", port=0, open_browser=meanwhile))
    browser.close()


def test_a_role_that_does_not_exist(running: RunningVault) -> None:
    with pytest.raises(NotAllowed, match='role "nobody" could not be found'):
        running.vault().login(Oidc("nobody", port=0, open_browser=lambda _: True))
    with pytest.raises(NotAllowed, match="missing role"):
        running.vault().login(Oidc(port=0, open_browser=lambda _: True))


def test_a_role_that_does_not_allow_this_way_back(running: RunningVault) -> None:
    role = Role(("oncall",), redirects=("https://vault.example.com/ui/vault/auth/oidc/oidc/callback",))
    running.do(lambda server: server.logins.add_role("oidc", "web", role))
    with pytest.raises(ConfigurationError, match="gives no login address") as caught:
        running.vault().login(Oidc("web", port=0, open_browser=lambda _: True))
    assert "allowed_redirect_uris" in caught.value.hint


# By Google credentials


def service_account(directory: Path) -> Path:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = directory / "key.json"
    content = {
        "type": "service_account",
        "client_email": "toolkit@rp006-prod.iam.gserviceaccount.com",
        "private_key_id": "k1",
        "token_uri": "http://127.0.0.1:1/token",
        "private_key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    }
    file.write_text(json.dumps(content))
    (directory / "public.pem").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return file


def test_a_service_accounts_key_signs_the_jwt(person: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from google.auth import jwt

    from toolkit.systems.vault import jwt as vault_jwt

    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(person)))
    made = vault_jwt.of_service_account("oncall")
    claims = jwt.decode(made.reveal(), certs=(person / "public.pem").read_bytes(), audience="vault/oncall")
    header = jwt.decode_header(made.reveal())
    assert (claims["sub"], claims["aud"]) == ("toolkit@rp006-prod.iam.gserviceaccount.com", "vault/oncall")
    assert header["kid"] == "k1"


def test_a_persons_google_login_cannot(person: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.systems.vault import jwt as vault_jwt

    file = person / "adc.json"
    content = {"type": "authorized_user", "client_id": "x", "client_secret": "y", "refresh_token": "z"}
    file.write_text(json.dumps(content))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(NotAllowed, match="not a service account's"):
        vault_jwt.of_service_account("oncall")
