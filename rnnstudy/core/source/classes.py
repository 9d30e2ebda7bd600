"""Source code of classes, and its hash for recipes."""

import functools
import inspect
import linecache
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType

from rnnstudy.core.source.files import PACKAGE, SourceCode, source_of_file

_replaced: dict[str, str] = {}


@contextmanager
def replaced_hashes(hashes: Mapping[str, str]) -> Iterator[None]:
    """Let classes have other hashes, by path, for the time of the context.

    A component remembers its recipe, so that components must be made inside.
    """
    before = dict(_replaced)
    _replaced.update(hashes)
    try:
        yield
    finally:
        _replaced.clear()
        _replaced.update(before)


def is_own(cls: type) -> bool:
    """Return whether a class is a user's, and not one of this package."""
    return cls.__module__.partition(".")[0] != PACKAGE


def source_hash(cls: type) -> str:
    """Return the hash of the source of a user's class; empty for a class of this package.

    Raises ValueError if the source cannot be found.
    """
    path = f"{cls.__module__}:{cls.__qualname__}"
    if not is_own(cls):
        return ""
    return _replaced[path] if path in _replaced else source_of(cls).sha256


@functools.cache
def source_of(cls: type) -> SourceCode:
    """Return the source of a user's class and of its base classes outside of this package."""
    source = _source_of_class(cls)
    for base in filter(_extends_package, cls.__mro__[1:]):
        if base.__module__ not in source.modules:
            source += _source_of_class(base)
    return source


def _extends_package(cls: type) -> bool:
    """Return whether a class is a user's and derives from one of this package."""
    return is_own(cls) and not all(map(is_own, cls.__mro__))


def _source_of_class(cls: type) -> SourceCode:
    module = sys.modules.get(cls.__module__)
    path = getattr(module, "__file__", None)
    if path is None or not str(path).endswith(".py"):
        return _source_of_code(cls)
    return source_of_file(cls.__module__, Path(path))


def _source_of_code(cls: type) -> SourceCode:
    """Return the source of a class of a notebook: the text of the cells that define its methods."""
    names = dict.fromkeys(code.co_filename for code in _codes(cls))
    texts = ["".join(linecache.getlines(name)) for name in names]
    if not names or not all(texts):
        texts = [_text_of(cls)]
    return SourceCode({cls.__module__: "\n".join(texts).encode()}, {}, {})


def _codes(cls: type) -> Iterator[CodeType]:
    """Yield the code of the functions that a class defines."""
    for value in vars(cls).values():
        inner = getattr(value, "fget", None) or getattr(value, "__func__", value)
        code = getattr(inner, "__code__", None)
        if code is not None and inner.__qualname__.startswith(cls.__qualname__):
            yield code


def _text_of(cls: type) -> str:
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):
        raise ValueError(
            f"the source of {cls.__module__}:{cls.__qualname__} must be readable, since edited "
            "code gets new results; got no file. Save the class in a file such as mine.py."
        ) from None
