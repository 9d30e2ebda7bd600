"""Permission to import modules of users. An import runs their code.

A spec or a record names a class of a user as `package.module:Class`. Its module is imported only
after `allow_plugins`, or inside `plugin_permission`. Modules of this package, and modules that the
process has imported by itself, need no permission.
"""

import importlib
import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from rnnstudy.core.source.files import PACKAGE
from rnnstudy.core.source.imports import file_of

CONFIRMED_FOLDERS = "RNNSTUDY_PLUGIN_FOLDERS"
"""Environment variable: folders whose specs may run code, separated as in PATH."""

REMEDY = "add --allow-plugins (in Python: allow_plugins=True) if you trust it"

_permitted: ContextVar[bool] = ContextVar("_permitted", default=False)
_process: set[bool] = set()
_folders: dict[str, None] = {}
_packages: set[str] = set()


class PluginNotAllowed(ImportError):
    """A module of a user must not be imported, since nobody has allowed it."""


def allow_plugins(*folders: str | Path) -> None:
    """Allow the import of users' modules from now on, in this process.

    Parameters
    ----------
    *folders
        Folders that are searched after all others, so that no file in them replaces a library.

    Examples
    --------
    >>> from rnnstudy.core.source.plugins import allow_plugins
    >>> allow_plugins("studies")  # doctest: +SKIP
    """
    _process.add(True)
    _add(folders)


@contextmanager
def plugin_permission(*folders: str | Path) -> Iterator[None]:
    """Allow the import of users' modules for the time of the context.

    The folders stay searched, and modules in them stay allowed: results name classes in them.
    """
    _add(folders)
    token = _permitted.set(True)
    try:
        yield
    finally:
        _permitted.reset(token)


def allowed_folders() -> tuple[str, ...]:
    """Return the folders of users' modules that this process may import, for its workers."""
    return tuple(_folders)


def is_confirmed(folder: str | Path) -> bool:
    """Return whether a folder is one of `RNNSTUDY_PLUGIN_FOLDERS`, or inside one."""
    listed = os.environ.get(CONFIRMED_FOLDERS, "").split(os.pathsep)
    resolved = Path(folder).resolve()
    return any(resolved.is_relative_to(Path(name).resolve()) for name in listed if name)


def has_permission() -> bool:
    """Return whether code of users may run here: in this process, or in this context."""
    return bool(_process) or _permitted.get()


def is_allowed(module: str) -> bool:
    """Return whether a module may be imported, or is loaded already.

    A module that is allowed once stays allowed, since results name the classes in it.
    """
    top = module.partition(".")[0]
    if has_permission():
        _packages.add(top)
    if top == PACKAGE or top in _packages or module in sys.modules:
        return True
    return any(file_of(top, Path(folder)) for folder in _folders)


def import_plugin(module: str) -> Any:
    """Return a module by its name; ImportError if it must not or cannot be imported."""
    if not all(part.isidentifier() for part in module.split(".")):
        raise ImportError(f"{module!r} is no name of a module")
    if not is_allowed(module):
        raise PluginNotAllowed(f"runs code of the module {module!r}; {REMEDY}")
    return importlib.import_module(module)


def find_attribute(path: str) -> Any:
    """Return the value at `package.module:Name`.

    Raises
    ------
    PluginNotAllowed
        The module is a user's, and nobody has allowed to import it.
    ImportError, AttributeError
        The module or the name does not exist.
    """
    module, _, name = path.partition(":")
    value = import_plugin(module)
    # A module that is loaded without permission must not run code when its names are looked up.
    top = module.partition(".")[0]
    lookup = getattr if top == PACKAGE or top in _packages else inspect.getattr_static
    for part in name.split("."):
        try:
            value = lookup(value, part)
        except AttributeError:
            raise AttributeError(f"module {module!r} has no attribute {name!r}") from None
    return value


def _add(folders: tuple[str | Path, ...]) -> None:
    for folder in folders:
        name = str(Path(folder).resolve())
        _folders.setdefault(name)
        if name not in sys.path:
            sys.path.append(name)
    importlib.invalidate_caches()
