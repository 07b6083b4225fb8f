"""The ways a kubeconfig lets one in, each against a sandbox cluster that speaks TLS."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster_fixtures import World, clusters

from toolkit.environments import model
from toolkit.errors import ConfigurationError
from toolkit.systems.cluster import Cluster


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with clusters(tmp_path_factory.mktemp("access"), "prod-cluster", tls=True) as found:
        yield found


def part(world: World, tmp_path: Path, *, user: Any = None, cluster: Any = None) -> model.Cluster:
    """The world's kubeconfig with another user, or with changes to its cluster."""
    table = yaml.safe_load(world.kubeconfig.read_text())
    if user is not None:
        table["users"][0]["user"] = user
    table["clusters"][0]["cluster"].update(cluster or {})
    file = tmp_path / "kubeconfig.yaml"
    file.write_text(yaml.safe_dump(table))
    return model.Cluster(context="ctx-prod-cluster", kubeconfig=str(file))


def version(part: model.Cluster) -> str:
    cluster = Cluster("prod-cluster", part)
    try:
        return cluster.version()
    finally:
        cluster.close()


def test_files_beside_the_kubeconfig_and_texts_inside_it_are_the_same(world: World, tmp_path: Path) -> None:
    assert world.authority is not None
    (tmp_path / "ca.pem").write_bytes(world.authority.read_bytes())
    assert version(part(world, tmp_path, cluster={"certificate-authority": "ca.pem"}))
    inline = base64.b64encode(world.authority.read_bytes()).decode()
    assert version(part(world, tmp_path, cluster={"certificate-authority": None, "certificate-authority-data": inline}))


def test_a_token_in_a_file_is_read_again_when_it_no_longer_holds(world: World, tmp_path: Path) -> None:
    server = world.servers["prod-cluster"]
    (tmp_path / "token").write_text("first-token\n")
    world.loop.call(server.grant, "first-token", "on-call")
    cluster = Cluster("prod-cluster", part(world, tmp_path, user={"tokenFile": "token"}))
    assert cluster.version()
    world.loop.call(server.revoke, "first-token")
    world.loop.call(server.grant, "second-token", "on-call")
    (tmp_path / "token").write_text("second-token\n")
    assert cluster.version()
    cluster.close()


@pytest.mark.parametrize(
    "broken",
    [
        {"client-certificate-data": "%%%"},
        {"client-certificate-data": base64.b64encode(b"no certificate").decode(), "client-key-data": ""},
        {"client-certificate": "not-there.pem"},
        {"tokenFile": "not-there"},
    ],
)
def test_a_broken_credential_is_a_configuration_error(world: World, tmp_path: Path, broken: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        version(part(world, tmp_path, user=broken))
    assert "ctx-prod-cluster" in caught.value.message
    assert "gcloud container clusters get-credentials" in caught.value.hint


def test_a_certificate_need_not_be_trusted_where_the_kubeconfig_says_so(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert version(part(world, tmp_path, cluster={"certificate-authority": None, "insecure-skip-tls-verify": True}))
    assert capfd.readouterr() == ("", "")


def test_another_server_name_is_checked(world: World, tmp_path: Path) -> None:
    assert version(part(world, tmp_path, cluster={"tls-server-name": "localhost"}))


def test_this_machine_is_never_reached_through_a_proxy(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert version(part(world, tmp_path))


def test_a_proxy_that_does_not_answer_is_said(world: World, tmp_path: Path) -> None:
    from toolkit.errors import Unreachable

    with pytest.raises(Unreachable):
        version(part(world, tmp_path, cluster={"proxy-url": "http://127.0.0.1:9"}))


def jwt(**claims: object) -> str:
    def encoded(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{encoded({'alg': 'none'})}.{encoded(claims)}.signature"


def test_an_oidc_login_is_left_to_the_sdk(world: World, tmp_path: Path) -> None:
    token = jwt(exp=4_000_000_000)
    world.loop.call(world.servers["prod-cluster"].grant, token, "me@example")
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}
    assert version(part(world, tmp_path, user=user))
