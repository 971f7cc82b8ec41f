import pytest

from tokenbudget.metering.windows import published_window_tokens


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("claude-opus-5-5", 1_000_000),
        ("claude-opus-4-8", 1_000_000),
        ("claude-opus-4-6", 1_000_000),
        ("claude-opus-4-5-20251101", 200_000),
        ("claude-opus-4-1-20250805", 200_000),
        ("claude-opus-4-20250514", 200_000),
        ("claude-sonnet-5", 1_000_000),
        ("claude-sonnet-4-6", 1_000_000),
        ("claude-sonnet-4-5-20250929", 200_000),
        ("claude-sonnet-4-20250514", 200_000),
        ("claude-haiku-5", 1_000_000),
        ("claude-haiku-4-5-20251001", 200_000),
        ("claude-fable-5", 1_000_000),
        ("claude-mythos-5-2", 1_000_000),
        ("claude-3-7-sonnet-20250219", 200_000),
        ("claude-2.1", 200_000),
    ],
)
def test_published_windows(model: str, tokens: int) -> None:
    assert published_window_tokens(model) == tokens


@pytest.mark.parametrize(
    "model",
    ["anthropic.claude-sonnet-4-5-v1:0", "us.anthropic.claude-sonnet-4-5", "Claude-Sonnet-4-5"],
)
def test_a_model_is_known_behind_the_name_of_who_serves_it(model: str) -> None:
    assert published_window_tokens(model) == 200_000


@pytest.mark.parametrize("model", ["claude-sonnet-4-5[1m]", "anything-at-all[1M]"])
def test_the_clients_sign_for_a_large_window_goes_first(model: str) -> None:
    assert published_window_tokens(model) == 1_000_000


@pytest.mark.parametrize("model", ["", "gpt-5", "mystery-1", "opus", "claude-", "claude-novel-9"])
def test_an_unknown_model_has_no_window_rather_than_a_guessed_one(model: str) -> None:
    assert published_window_tokens(model) is None


@pytest.mark.parametrize("model", ["claude-opus-4", "claude-opus-4@20250514"])
def test_opus_4_has_its_window_however_its_date_is_written(model: str) -> None:
    assert published_window_tokens(model) == 200_000
