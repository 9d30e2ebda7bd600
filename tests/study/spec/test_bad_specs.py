"""Specs with random mistakes: each mistake is one sentence with file, line and key."""

import warnings
from pathlib import Path

import pytest
import yaml
from bad_specs import BASES, check_sentence, sentences_of, specs
from hypothesis import HealthCheck, Phase, given, settings

CHECKS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def check(text: str, folder: Path) -> None:
    """Check that a spec is accepted, or that each of its errors is a sentence."""
    path = folder / "a.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sentence in sentences_of(path):
            check_sentence(sentence, path)


@settings(CHECKS, max_examples=500)
@given(specs())
def test_a_spec_with_mistakes_gets_sentences(tmp_path: Path, text: str) -> None:
    check(text, tmp_path)


@pytest.mark.slow
@settings(CHECKS, max_examples=10_000)
@given(specs())
def test_ten_thousand_specs_with_mistakes_get_sentences(tmp_path: Path, text: str) -> None:
    check(text, tmp_path)


@pytest.mark.parametrize("base", BASES)
def test_the_specs_without_a_change_are_good(tmp_path: Path, base: dict[str, object]) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump(base, sort_keys=False))
    assert sentences_of(path) == []


def test_a_sentence_has_file_line_and_key(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("study: a\ntasks: [flip_flop]\nnetworks: {cells: gru, units: 0}\n")
    (sentence,) = sentences_of(path)
    assert sentence == f"{path}:3:31: networks.units is 0; it should be at least 1"
    for wrong in ("a.yaml: x", f"{path}:3: ", "two\nlines", f"{path}:1:1: \x1b"):
        with pytest.raises(AssertionError, match=r"a\.yaml|lines"):
            check_sentence(wrong, path)


def test_a_key_that_looks_like_a_space_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "study: a\ntasks: [flip_flop]\nnetworks: {cells: gru, \xa0: 0}\n", encoding="utf-8"
    )
    (sentence,) = sentences_of(path)
    assert r"networks.\xa0 is not a known key" in sentence
    check_sentence(sentence, path)
