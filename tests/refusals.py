"""Checks that a wrong call is answered in one sentence of this package."""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import rnnstudy

PACKAGE = str(Path(rnnstudy.__file__).parent)

LONGEST_ANSWER = 500
"""Largest number of characters of an answer."""


def check_refusal(call: str, names: Mapping[str, Any], kind: str, words: str) -> None:
    """Evaluate a call with some names; its error has a class and holds words.

    Neither NumPy nor TensorFlow answers, nor Python for lack of a check.
    """
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its class is compared below
        eval(call, dict(names))
    error = caught.value
    sentence = str(error.args[0]) if isinstance(error, KeyError) else str(error)
    assert type(error).__name__ == kind, sentence
    assert words in sentence
    assert "\n" not in sentence
    assert len(sentence) <= LONGEST_ANSWER
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert last.filename.startswith(PACKAGE)
    assert last.line is not None
    assert last.line.lstrip().startswith("raise")
