import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.config.management import (
    BALANCED,
    BUILT_IN,
    COMPRESSION_MODES,
    ENVIRONMENT,
    OURS,
    PROJECT,
    USER,
    BadLayer,
    Layer,
    resolve,
)

MANY = {
    "autoOptimize": True,
    "warningThreshold": 0.4,
    "criticalThreshold": 70,
    "emergencyThreshold": 0.8,
    "autoCleanup": True,
    "compressionMode": "compressed",
}


def user(**table: object) -> Layer:
    """The user's settings saying this."""
    return Layer(USER, "/u.json", table)


class TestMeaning:
    def test_nobody_says_anything(self) -> None:
        found = resolve([])

        assert found[:6] == (False, 0.5, 0.75, 0.9, False, BALANCED)
        assert set(found.origins.values()) == {"default"}
        assert set(found.origins) == set(BUILT_IN)

    def test_one_file_says_everything(self) -> None:
        found = resolve([user(**MANY)])

        assert found[:6] == (True, 0.4, 0.7, 0.8, True, "compressed")
        assert set(found.origins.values()) == {"/u.json"}

    @pytest.mark.parametrize(
        ("given", "share"), [(0.3, 0.3), (30, 0.3), (30.0, 0.3), (0.001, 0.001), (2, 0.02)]
    )
    def test_shares_and_percent(self, given: float, share: float) -> None:
        assert resolve([user(warningThreshold=given)]).warning_share == pytest.approx(share)

    @pytest.mark.parametrize("given", [1.5, 1.001, 1.999, 150, 100.1])
    def test_what_may_be_either_or_neither_is_refused(self, given: float) -> None:
        with pytest.raises(BadLayer, match=r"must be a number such as 0\.75 or 75, not 1"):
            resolve([user(warningThreshold=given)])

    @pytest.mark.parametrize("text", ["150%", "250%", "7500%", "1.5"])
    def test_a_variable_of_more_than_everything_is_refused(self, text: str) -> None:
        with pytest.raises(BadLayer, match=r"\(from TOKENS_WARNING_THRESHOLD\) must be"):
            resolve([Layer(ENVIRONMENT, "", {"warningThreshold": text})])

    @pytest.mark.parametrize("given", [1, 1.0, 100, 100.0])
    def test_the_whole_window_is_one(self, given: float) -> None:
        assert resolve([user(emergencyThreshold=given)]).emergency_share == 1

    @pytest.mark.parametrize(
        ("text", "share"), [("0.3", 0.3), ("30", 0.3), ("30%", 0.3), (" 30 % ", None), ("1%", 0.01)]
    )
    def test_variables_are_text(self, text: str, share: float | None) -> None:
        layers = [Layer(ENVIRONMENT, "", {"warningThreshold": text})]
        if share is None:
            with pytest.raises(BadLayer, match=r"\(from TOKENS_WARNING_THRESHOLD\) must be"):
                resolve(layers)
        else:
            assert resolve(layers).warning_share == pytest.approx(share)

    @pytest.mark.parametrize(
        ("text", "truth"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("No", False)]
    )
    def test_variables_are_true_or_false(self, text: str, truth: bool) -> None:
        layers = [user(autoCleanup=not truth), Layer(ENVIRONMENT, "", {"autoCleanup": text})]
        assert resolve(layers).auto_cleanup is truth


class TestPrecedence:
    def test_is_by_key_and_not_by_table(self) -> None:
        found = resolve(
            [
                Layer(OURS, "/c.toml", {"warningThreshold": 0.1, "autoOptimize": True}),
                Layer(USER, "/u.json", {"warningThreshold": 0.2, "criticalThreshold": 0.6}),
                Layer(PROJECT, "/p.json", {"warningThreshold": 0.3}),
                Layer(ENVIRONMENT, "", {"compressionMode": "verbose"}),
            ]
        )

        assert (found.auto_optimize, found.warning_share, found.critical_share) == (True, 0.3, 0.6)
        assert found.origins == {
            "autoOptimize": "/c.toml",
            "warningThreshold": "/p.json",
            "criticalThreshold": "/u.json",
            "emergencyThreshold": "default",
            "autoCleanup": "default",
            "compressionMode": "TOKENS_COMPRESSION_MODE",
        }

    @given(
        st.lists(st.dictionaries(st.sampled_from(["autoOptimize", "autoCleanup"]), st.booleans()))
    )
    def test_the_last_that_speaks_wins(self, tables: list[dict[str, bool]]) -> None:
        found = resolve([user(**table) for table in tables])
        merged = {key: value for table in tables for key, value in table.items()}

        assert found.auto_optimize is merged.get("autoOptimize", False)
        assert found.auto_cleanup is merged.get("autoCleanup", False)

    def test_thresholds_of_several_files_are_judged_together(self) -> None:
        layers = [
            user(warningThreshold=0.85),
            Layer(PROJECT, "/p.json", {"criticalThreshold": 0.88}),
        ]

        assert resolve(layers)[1:4] == (0.85, 0.88, 0.9)


class TestRefusal:
    @pytest.mark.parametrize(
        ("key", "given", "wanted"),
        [
            ("autoOptimize", "true", "must be true or false, not 'true'"),
            ("autoOptimize", 1, "must be true or false, not 1"),
            ("autoCleanup", None, "must be true or false, not None"),
            ("autoCleanup", {"a": {"b": 1}}, "must be true or false, not {'a': {'b': 1}}"),
            ("warningThreshold", True, "must be a number such as 0.75 or 75, not True"),
            ("warningThreshold", "0.5", "must be a number such as 0.75 or 75, not '0.5'"),
            ("warningThreshold", math.nan, "not nan"),
            ("warningThreshold", math.inf, "not inf"),
            ("warningThreshold", float("1e400"), "not inf"),
            ("warningThreshold", [10**5000], "not a value too large to show"),
            ("warningThreshold", 0, "not 0"),
            ("warningThreshold", -0.5, "not -0.5"),
            ("emergencyThreshold", 100.5, "not 100.5"),
            ("warningThreshold", [0.5], "not [0.5]"),
            ("compressionMode", "tiny", "must be one of verbose, balanced, compressed, not 'tiny'"),
            ("compressionMode", [], "must be one of"),
            ("compressionMode", "x" * 10_000, "…"),
            ("compressionMode", "\x1b]52;c;\u202e", r"'\x1b]52;c;\u202e'"),
        ],
    )
    def test_names_file_key_value_and_what_to_write(
        self, key: str, given: object, wanted: str
    ) -> None:
        with pytest.raises(BadLayer) as refused:
            resolve([user(**{key: given})])

        text = str(refused.value)
        assert wanted in text
        assert text.startswith(f"tokenManagement.{key} in /u.json must be")
        assert len(text) < 250
        assert [layer.where for layer in refused.value.suspects] == ["/u.json"]

    @pytest.mark.parametrize(
        ("key", "meant"),
        [
            ("warningTreshold", "warningThreshold"),
            ("auto_optimize", "autoOptimize"),
            ("compressionmode", "compressionMode"),
        ],
    )
    def test_an_unknown_key_is_guessed(self, key: str, meant: str) -> None:
        with pytest.raises(
            BadLayer, match=rf"in /u.json has no '{key}' \(did you mean '{meant}'\?\)"
        ):
            resolve([user(**{key: 1})])

    def test_an_unlike_key_is_not_guessed(self) -> None:
        with pytest.raises(BadLayer, match=r"has no 'zzz'; it knows autoOptimize, "):
            resolve([user(zzz=1)])

    @pytest.mark.parametrize("table", [1, "x", [], True, 0.5])
    def test_what_is_no_table(self, table: object) -> None:
        with pytest.raises(BadLayer, match=r"tokenManagement in /u.json must be a table, not"):
            resolve([Layer(USER, "/u.json", table)])

    def test_disorder_names_both_values_and_their_places(self) -> None:
        layers = [user(criticalThreshold=0.6), Layer(PROJECT, "/p.json", {"warningThreshold": 70})]
        with pytest.raises(BadLayer) as refused:
            resolve(layers)

        assert "warningThreshold 0.7 (/p.json) is not below criticalThreshold 0.6 (/u.json)" in str(
            refused.value
        )
        assert {layer.where for layer in refused.value.suspects} == {"/p.json", "/u.json"}

    def test_equal_thresholds_do_not_ascend(self) -> None:
        with pytest.raises(BadLayer, match=r"is not below emergencyThreshold 0\.9"):
            resolve([user(criticalThreshold=0.9)])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*BUILT_IN, "other"]), ANYTHING) | ANYTHING)
def test_any_value_is_values_or_a_sentence(table: object) -> None:
    try:
        found = resolve([Layer(USER, "/u.json", table)])
    except BadLayer as exc:
        refusal = str(exc)
    else:
        assert 0 < found.warning_share < found.critical_share < found.emergency_share <= 1
        assert found.compression_mode in COMPRESSION_MODES
        refusal = "/u.json"
    assert "/u.json" in refusal
    assert len(refusal) < 500
