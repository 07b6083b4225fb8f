"""The auto-loader's settings as people write them, the mistakes in them, and the groups that they make."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.cache.loader import releases, settings
from toolkit.cache.loader.settings import LoaderSettings, Transformation
from toolkit.cache.loader.sides import difference, same_address
from toolkit.errors import Failed, NotFound, ToolkitError

KEY = "group-auto-loader.prod"
PLAIN = """\
other: {a: 1}
group-auto-loader:
  prod:
    phenoservice-api: https://phenoservice.example
    dry_run: True
    deep-learning-model: {name: phenom, version: 1.10}
    transformations:
      - _prox_bias_reduced
      - name: centerscale
      - name: Typical variation
        suffix: _typicalvariation
"""
WANTED = LoaderSettings(
    "https://phenoservice.example",
    True,
    "phenom 1.10",
    (
        Transformation("prox_bias_reduced", "_prox_bias_reduced"),
        Transformation("centerscale", "_centerscale"),
        Transformation("Typical variation", "_typicalvariation"),
    ),
)


def listed(*names: str) -> LoaderSettings:
    return LoaderSettings("a", True, "m", tuple(Transformation(name, f"_{name}") for name in names))


def indented(text: str, spaces: int) -> str:
    return "".join(f"{' ' * spaces}{line}\n" for line in text.splitlines())


def read(text: str) -> LoaderSettings:
    return settings.read(text, KEY, "configome.yaml")


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"a: 1\n---\n{PLAIN}",
        PLAIN.replace("group-auto-loader:\n  prod:", "group-auto-loader.prod:"),
        PLAIN.replace("group-auto-loader:", "Group_Auto_Loader:"),
        PLAIN.replace("phenoservice-api", "phenoservice_api").replace("dry_run: True", "dry-run: true"),
        PLAIN.replace("https://phenoservice.example", "{url: https://phenoservice.example, timeout: 3}"),
        PLAIN.replace("{name: phenom, version: 1.10}", "phenom 1.10"),
        f"apiVersion: v1\nkind: ConfigMap\ndata:\n  configome.yaml: |\n{indented(PLAIN, 4)}",
        f"kind: List\nitems:\n- kind: ConfigMap\n  data:\n    x.yml: |\n{indented(PLAIN, 6)}",
        "kind: ConfigMap\ndata:\n  group-auto-loader.prod: |\n"
        + indented("\n".join(line[4:] for line in PLAIN.splitlines()[3:]), 4),
    ],
    ids=[
        "nested", "second-document", "dotted", "capitals", "spellings", "api-as-table", "model-as-text", "config-map",
        "list-of-config-maps", "config-map-by-key",
    ],
)  # fmt: skip
def test_every_way_to_write_it_means_the_same(text: str) -> None:
    assert read(text) == WANTED


AT = "group-auto-loader.prod:\n"


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("a: [", Failed, "configome.yaml, line 1 is not valid YAML"),
        ("x: 1\ny: {{ template }}\n", NotFound, "configome.yaml has no group-auto-loader.prod"),
        ("", NotFound, "has no group-auto-loader.prod"),
        ("- 1\n- 2\n", NotFound, "has no group-auto-loader.prod"),
        ("\x00", Failed, "is not valid YAML"),
        ("[" * 5000, Failed, "is not valid YAML"),
        ("group-auto-loader.prod: 3\n", Failed, "line 1: group-auto-loader.prod is no table"),
        (f"{AT}  dry_run: true\n", NotFound, "line 2: group-auto-loader.prod has no transformations"),
        (PLAIN.replace("dry_run: True", 'dry_run: "False"'), Failed, "line 5: dry_run is neither True nor False"),
        (PLAIN.replace("dry_run: True", "dry_run: 0"), Failed, "line 5: dry_run is neither"),
        (PLAIN.replace("dry_run: True", "dry_run: true\n    dry-run: false"), Failed, "line 6: dry-run is there twice"),
        (PLAIN.replace("{name: phenom, version: 1.10}", "[1]"), Failed, "line 6: the deep-learning model is no text"),
        (PLAIN.replace("https://phenoservice.example", "{port: 1}"), Failed, "line 4: the phenoservice API has no url"),
        (f"{AT}  transformations: _a\n", Failed, "line 2: transformations is no list"),
        (f"{AT}  transformations: []\n", Failed, "line 2: transformations is empty"),
        (f"{AT}  transformations:\n  - 3\n", Failed, "line 3: transformations has an item that is no"),
        (f"{AT}  transformations:\n  - {{x: 1}}\n", Failed, "line 3: transformations has an item without"),
        ("group-auto-loader.prod:\n  transformations: [_]\n", Failed, "without a name"),
        ("group-auto-loader.prod:\n  transformations:\n  - _a\n  - a\n", Failed, "line 4: transformations lists a"),
        (
            "kind: ConfigMap\ndata:\n  x.yaml: |\n    group-auto-loader.prod:\n      transformations: 1\n",
            Failed,
            "line 5: transformations is no list",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_and_key(text: str, error: type[ToolkitError], said: str) -> None:
    with pytest.raises(error) as caught:
        read(text)
    assert said in caught.value.message
    assert caught.value.message.startswith("configome.yaml")


def test_what_is_not_said_is_not_guessed() -> None:
    found = read("group-auto-loader.prod:\n  dry_run:\n  transformations: [_a]\n")
    assert (found.api, found.dry_run, found.model) == (None, None, None)


@given(st.text(max_size=200))
def test_any_text_is_settings_or_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(ToolkitError):
        read(f"group-auto-loader.prod:\n  transformations: [{text}]\n")


def test_an_alias_that_multiplies_costs_nothing() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    with pytest.raises(NotFound):
        read("\n".join(lines))


# -- the two lists


def test_the_lists_are_compared_by_the_groups_they_make() -> None:
    found = difference(listed("a", "c", "x"), listed("a", "b", "c"))
    assert [one.name for one in found.lacking] == ["b"]
    assert [one.name for one in found.more] == ["x"]
    assert not found.reordered
    assert not found.same
    assert found.lines == ("  _a", "- _b", "  _c", "+ _x")


def test_another_order_is_a_difference_because_the_last_is_the_default() -> None:
    found = difference(listed("a", "b"), listed("b", "a"))
    assert (found.lacking, found.more, found.reordered) == ((), (), True)


@pytest.mark.parametrize("new", ["mine", "_mine"])
def test_the_one_that_is_tried_may_be_more_and_nothing_else(new: str) -> None:
    assert difference(listed("a", "mine"), listed("a"), new).same
    assert not difference(listed("a", "mine", "x"), listed("a"), new).same
    assert not difference(listed("mine"), listed("a"), new).same
    assert difference(listed("a", "mine"), listed("a", "mine"), new).same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example", "https://A.example:443/", True),
        ("https://a.example/api", "https://a.example/api/", True),
        ("a.example:80", "a.example:80", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example", "https://staging.a.example", False),
        ("https://a.example:bad", "https://a.example", False),
    ],
)
def test_addresses_of_one_api(one: str, other: str, same: bool) -> None:
    assert same_address(one, other) is same


# -- groups


def test_the_last_transformation_is_the_first_of_the_dropdown() -> None:
    index = ["r_2026w47_c", "r_2026w47_b", "r_2026w47_a"]
    found = releases.newest(listed("a", "b", "c"), index, [*index, "r_2026w46_c"], 3)
    assert found is not None
    assert found.name == "r_2026w47"
    assert found.expected == found.dropdown == tuple(index)
    assert (found.missing, found.extra, found.order) == ((), (), ())


def test_what_is_missing_what_is_more_and_a_wrong_order() -> None:
    index = ["r_1_odd", "r_1_a", "r_1_c"]
    found = releases.newest(listed("a", "b", "c"), index, index, 2)
    assert found is not None
    assert found.name == "r_1"
    assert found.dropdown == ("r_1_c", "r_1_b")
    assert (found.missing, found.extra, found.order) == (("r_1_b",), ("r_1_odd",), ("r_1_a", "r_1_c"))


def test_the_longest_suffix_that_fits_made_it() -> None:
    both = listed("reduced", "bias_reduced")
    made_by = both.of("r_1_bias_reduced")
    assert made_by is not None
    assert made_by.name == "bias_reduced"
    assert both.of("_reduced") is None


def test_without_redis_the_buckets_newest_name_tells_the_release() -> None:
    found = releases.newest(listed("a"), [], ["r_2026w45_a", "r_2026w47_a"], 3)
    assert found is not None
    assert (found.name, found.missing) == ("r_2026w47", ())
    assert releases.newest(listed("z"), ["r_1_a"], ["r_1_a"], 3) is None
