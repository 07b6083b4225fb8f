"""The configuration: layers, provenance, and how it refuses what it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit import paths
from toolkit.environments import loading, template
from toolkit.errors import ConfigurationError, UsageError


def write(text: str, file: Path | None = None) -> Path:
    file = file or paths.config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def test_the_shipped_profiles_name_what_the_notes_name() -> None:
    environments = loading.load().settings.environments
    assert environments["rp006"].cache_manager.cluster == "prod-cluster"
    assert environments["rp006"].gcp_project == "rp006-prod"
    assert environments["rp006"].argocd.application == "rp006-neuro-cache-manager-rxrx-cronjob-config"
    assert environments["mapapp"].cache_manager.cronjob == "dash-phenoapp-v2-cache-manager-rxrx-cronjob"
    assert environments["mapapp"].infra_repo.path == "kube/principal/dash-phenoapp-v2/cache-manager.yaml"
    assert (environments["rp006"].app.way_in, environments["mapapp"].app.way_in) == ("Pomerium", "Catalyst")
    assert environments["mapapp"].vault.path == "phenoapp/managed_redis"


def test_what_the_notes_leave_open_is_listed() -> None:
    environments = loading.load().settings.environments
    assert "vault.address" in loading.unset(environments["rp006"])
    assert "cache_manager.cluster" not in loading.unset(environments["rp006"])


def test_every_open_key_has_a_meaning() -> None:
    for environment in loading.load().settings.environments.values():
        assert all(template.meaning(key) for key in (*loading.unset(environment), *loading.optional(environment)))


def test_what_one_can_do_without_is_no_open_key() -> None:
    mapapp = loading.load().settings.environments["mapapp"]
    others = ["kafka.bootstrap", "kafka.topic", "benchmark_db.address", "configome.remote", "loader.manifest"]
    assert loading.optional(mapapp) == ["logs.loki.address", "logs.cloud_logging.project", *others]
    assert not [key for key in loading.unset(mapapp) if key.startswith("logs.")]
    write('[environments.mapapp.logs.loki]\naddress = "https://loki.example.com"\n')
    mapapp = loading.load().settings.environments["mapapp"]
    assert loading.optional(mapapp) == ["logs.loki.grafana", "logs.cloud_logging.project", *others]


def test_who_gets_in_can_be_asked_with_okta_alone_and_only_behind_pomerium() -> None:
    environments = loading.load().settings.environments
    wanted = {"okta.address", "okta.vault_path", "app.url"}
    assert wanted <= set(loading.optional(environments["rp006"]))
    assert not wanted & set(loading.optional(environments["mapapp"]))


def test_a_query_of_ones_own_stands_beside_the_shipped_ones() -> None:
    write('[environments.rp006.logs.queries.mine]\nsource = "loki"\nquery = \'{pod=~".+"} |= "x"\'\n')
    queries = loading.load().settings.environments["rp006"].logs.queries
    assert queries["mine"].query == '{pod=~".+"} |= "x"'
    assert "rp006-neuro-cache-manager-rxrx-cronjob" in queries["errors-cache-manager"].query
    assert all(query.help for name, query in queries.items() if name != "mine")


def test_a_later_layer_wins_and_each_value_knows_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = write('[environments.rp006.bucket]\nname = "from-user"\nproject = "p-user"\n')
    here = write('[environments.rp006.bucket]\nname = "from-here"\n', tmp_path / "toolkit.toml")
    monkeypatch.setenv("TOOLKIT_BUCKET__PREFIX", "from-variable")
    loaded = loading.load(working_directory=tmp_path)
    bucket = loaded.settings.environments["rp006"].bucket
    assert (bucket.name, bucket.project, bucket.prefix) == ("from-here", "p-user", "from-variable")
    assert loaded.source("environments.rp006.bucket.name") == str(here)
    assert loaded.source("environments.rp006.bucket.project") == str(user)
    assert loaded.source("environments.rp006.bucket.prefix") == "TOOLKIT_BUCKET__PREFIX"
    assert loaded.source("environments.rp006.cache_manager.cluster") == "profile rp006"
    assert loaded.source("environments.rp006.redis.port") == "default"
    assert loaded.configured == ("rp006",)


def test_a_variable_is_for_the_chosen_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_ENV", "rp006")
    monkeypatch.setenv("TOOLKIT_REDIS__PORT", "7000")
    environments = loading.load().settings.environments
    assert environments["rp006"].redis.port == 7000
    assert environments["mapapp"].redis.port == 6379


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[environments.rp006.redis]\nadress = "x"',
            "unknown key 'environments.rp006.redis.adress'; did you mean 'address'?",
        ),
        ("[enviroments.rp006]", "unknown key 'enviroments'; did you mean 'environments'?"),
        ('[clusters.principal]\nkontext = "x"', "unknown key 'clusters.principal.kontext'; did you mean 'context'?"),
        ('[environments.rp006.vault.login]\nmetod = "oidc"', "environments.rp006.vault.login.metod"),
        ('[environments.rp006.redis]\nport = "many"', "environments.rp006.redis.port: Expected `int`, got `str`"),
        ('[environments.rp006.vault.login]\nmethod = "magic"', "environments.rp006.vault.login.method"),
        ('[environments.rp006.cache_manager]\ncluster = "elsewhere"', "No cluster 'elsewhere' is configured"),
        ('[environments.rp006]\nname = "x"', "unknown key 'environments.rp006.name'"),
        ("environments = 3", "environments must be a table"),
        ("[environments.rp006", "is not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_path(text: str, message: str) -> None:
    write(text)
    with pytest.raises(ConfigurationError) as caught:
        loading.load()
    assert message in caught.value.message
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_text_is_refused_kindly() -> None:
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        loading.load()


def test_an_alias_of_a_cluster_is_understood_and_named() -> None:
    settings = loading.load().settings
    name, _ = settings.cluster("primary")
    assert name == "principal"


def test_the_sandbox_knows_nothing_of_the_real_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write('[clusters.principal]\ncontext = "real"\n[environments.rp006.bucket]\nname = "real"\n')
    monkeypatch.setenv("TOOLKIT_REDIS__ADDRESS", "real.example:6379")
    sandbox = write(
        '[clusters.principal]\ncontext = "sandbox-principal"\n[environments.sandbox]\nkind = "sandbox"\n',
        tmp_path / "s.toml",
    )
    settings = loading.load(sandbox=sandbox).settings
    assert set(settings.environments) == {"sandbox"}
    assert settings.environments["sandbox"].redis.address == ""
    assert settings.clusters["principal"].context == "sandbox-principal"


def test_the_template_is_valid_and_leaves_the_same_keys_open() -> None:
    before = loading.unset(loading.load().settings.environments["rp006"])
    write(template.render(["rp006"]))
    loaded = loading.load()
    assert loaded.configured == ("rp006",)
    assert loading.unset(loaded.settings.environments["rp006"]) == before
    with pytest.raises(UsageError):
        template.render(["nowhere"])
