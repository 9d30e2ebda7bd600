"""Rules of language and size hold for the package."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rnnstudy"


@pytest.fixture(scope="module")
def language():
    spec = importlib.util.spec_from_file_location("language", ROOT / "tools" / "language.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["language"] = module
    spec.loader.exec_module(module)
    return module


def test_the_rules_hold(language):
    rules = [*language.MODULE_RULES, *language.PACKAGE_RULES]
    places = language.check([PACKAGE], rules, language.PENDING)
    assert not places, "\n".join(map(str, places))


BROKEN = '''"""What this is."""

STEP = 1


def joined(own):
    """The names, joined."""
    found = ", ".join(own)
    return found


class Sizes(Record):
    """Sizes of networks: a sentence that goes on and on and on until it has more words than any
    reader can hold in mind at once, which is far more than the rules of language allow."""

    count: int


def public(x: int) -> int:
    """Return x.

    Parameters
    ----------
    y : int
        Not the parameter.
    """
    if x < 0:
        raise ValueError(f"x should not be negative, it is {x}")
    return x
'''


@pytest.fixture
def package(tmp_path):
    """A small package that breaks each rule."""
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Rooms, opened by `public`."""\n')
    (folder / "given.py").write_text(BROKEN)
    (folder / "room.py").write_text('"""A room."""\n\nfrom house import given\n\nSTEP = 2\n')
    (folder / "loop.py").write_text('"""A loop."""\n\nfrom house import ring\n')
    (folder / "ring.py").write_text('"""A ring."""\n\n\ndef go():\n    import house.loop\n')
    return folder


@pytest.mark.parametrize(
    ("rule", "messages"),
    [
        ("names", ["file 'given' must be", "function 'joined' must be", "parameter 'own' must",
                   "name 'found' must be"]),
        ("openings", ["must not open with 'What'", "'joined' must open with a verb, not 'The'"]),
        ("sentences", ["sentence of 33 words"]),
        ("sections", ["'Sizes' must have a section Examples", "explain its fields, it lacks count",
                      "Parameters of 'public' must be ['x'], got ['y']", "a section Returns",
                      "a section Raises", "'public' must have a section Examples"]),
        ("errors", ["error must say 'X must be Y"]),
        ("meanings", ["'STEP' must have one meaning, got house.given, house.room"] * 2),
        ("circles", ["imports must form no circle"]),
    ],
)  # fmt: skip
def test_a_broken_rule_is_found(language, package, rule, messages):
    places = [place.message for place in language.check([package], [rule])]
    assert len(places) == len(messages), places
    for message in messages:
        assert any(message in place for place in places), (message, places)


def test_long_functions_and_crowded_folders_are_found(language, package):
    body = "".join(f"    x = {i}\n" for i in range(61))
    for i in range(9):
        (package / f"room_{i}.py").write_text(f"def work_{i}():\n{body}")
    messages = [place.message for place in language.check([package], ["sizes"])]
    assert sum("must have at most 60 lines, got 62" in message for message in messages) == 9
    assert sum("functions' lines must be at most" in message for message in messages) == 2


@pytest.mark.parametrize(
    "text",
    [
        '"""Roots of networks."""\n\n\nclass _Roots:\n    """Roots."""\n\n    left: int\n',
        'def _sides(left, right):\n    """Return both sides: one is left; the other is right."""\n',
        'def solve():\n    """Solve it (Newton 1685).\n\n    >>> solve()  # '
        + "word " * 26
        + '\n    """\n    raise ValueError("x must be 1, got 2. Give 1.")\n',
    ],
)
def test_plain_code_is_left_alone(language, tmp_path, text):
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "room.py").write_text(text)
    assert language.check([folder], language.MODULE_RULES) == []
