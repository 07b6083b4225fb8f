"""What systems that are asked over HTTP have in common: addresses, certificates, tokens, why there was no answer."""

from __future__ import annotations

import shlex
import ssl
import subprocess
from pathlib import Path

import pytest

from toolkit.errors import ConfigurationError
from toolkit.secret import Secret
from toolkit.systems import web


@pytest.mark.parametrize(
    ("address", "confidential", "taken"),
    [
        ("https://argocd.example", False, True),
        (" http://argocd.example:8080/base ", False, True),
        ("http://okta.example", True, False),
        ("http://127.0.0.1:9", True, True),
        ("http://[::1]:9", True, True),
        ("http://localhost.example", True, False),
        ("https://okta.example", True, True),
        ("https://me@okta.example", True, False),
        ("https://me:sesame@argocd.example", False, False),
        ("ftp://argocd.example", False, False),
        ("https://", False, False),
        ("https://argocd.example:port", False, False),
        ("https://[argocd", False, False),
        ("argocd.example", False, False),
    ],
)
def test_an_address_is_a_url_with_a_host_and_without_a_user(address: str, confidential: bool, taken: bool) -> None:
    if taken:
        assert web.checked(address, "x.address", hint="", confidential=confidential).geturl() == address.strip()
        return
    kind = "https" if confidential else "http or https"
    with pytest.raises(ConfigurationError, match=rf"^x\.address is no {kind} URL") as caught:
        web.checked(address, "x.address", hint="Write it so.", confidential=confidential)
    assert caught.value.hint == "Write it so."
    assert "sesame" not in caught.value.message


def test_what_is_no_certificate_is_named_with_its_setting(tmp_path: Path) -> None:
    torn = tmp_path / "torn.pem"
    torn.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n", "utf-8")
    for file in (str(torn), str(tmp_path / "none.pem")):
        with pytest.raises(ConfigurationError, match=r"^okta\.ca_file is .*cannot be read as certificates") as caught:
            web.certificates("https://okta.example", file, "okta", "Okta")
        assert "signed Okta's" in caught.value.hint
        assert web.certificates("http://127.0.0.1:9", file, "okta", "Okta") is None


def test_whoever_is_asked_over_tls_has_to_prove_who_they_are() -> None:
    context = web.certificates("https://okta.example", "", "okta", "Okta")
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_token_is_read_once_and_anew_when_it_was_forgotten() -> None:
    values = iter(["the-first-token", "the-second-token"])
    token = web.Token(lambda: Secret(next(values)))
    assert [token.known().reveal() for _ in range(3)] == ["the-first-token"] * 3
    token.forget()
    assert token.known().reveal() == "the-second-token"


def test_connections_are_kept_until_they_are_closed() -> None:
    pool = web.Pool(2.0, lambda: None)
    first = pool.opened()
    assert pool.opened() is first
    pool.close()
    assert pool.opened() is not first
    pool.close()


def test_curl_gets_the_token_by_a_pipe_and_asks_without_one_where_none_is_needed(tmp_path: Path) -> None:
    seen = tmp_path / "curl"
    seen.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\ncat\n', "utf-8")
    seen.chmod(0o755)
    typed = web.curl("https://okta.example/api/v1/users/a%27b", "/etc/ca file.pem", "echo the-token", "SSWS")
    said = subprocess.run(
        ["sh", "-c", typed], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert said == [
        *("-sS", "--cacert", "/etc/ca file.pem", "-H", "@-", "https://okta.example/api/v1/users/a%27b"),
        "Authorization: SSWS the-token",
    ]
    assert shlex.split(web.curl("https://x.example/a", "", "")) == ["curl", "-sS", "https://x.example/a"]


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://login.example/?from=x", "login.example"),
        ("/login", "another address"),
        ("https://[login", "another address"),
        (None, "another address"),
    ],
)
def test_where_a_redirect_leads_is_said_by_its_host_alone(location: str | None, host: str) -> None:
    assert web.redirected_to({} if location is None else {"Location": location}) == host


def test_a_reason_is_the_innermost_cause_without_secrets_on_one_line() -> None:
    token = Secret("a-token-in-a-reason")
    inner = OSError(111, "Connection refused")
    outer = ValueError("around it")
    outer.__cause__ = inner
    assert web.reason(outer) == "Connection refused"
    assert web.reason(ValueError(f"it said\n {token.reveal()}.")) == "it said ••••••"
    assert web.reason(ValueError()) == "ValueError"
    itself = ValueError("round and round")
    itself.__cause__ = itself
    assert web.reason(itself) == "round and round"
