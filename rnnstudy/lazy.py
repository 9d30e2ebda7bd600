"""The one door through which heavy libraries enter, each at its first use.

`import rnnstudy` and `rnnstudy check` must answer at once, so nothing in this package imports
TensorFlow, Keras or pandas at module level; they are reached as `tf`, `keras` and `pd` from here,
and so is our own module of Keras classes.
"""

import importlib
import importlib.abc
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class _Door:
    """A module that is imported when one of its names is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


tf: Any = _Door("tensorflow")
keras: Any = _Door("keras")
pd: Any = _Door("pandas")
keras_models: Any = _Door("rnnstudy.population.keras")


class _Watcher(importlib.abc.MetaPathFinder):
    """Calls `then` once, right after the module `name` has been imported.

    It stays until an import succeeds: somebody may only ask whether the module exists
    (`importlib.util.find_spec`), and an import may fail and be tried again.
    """

    def __init__(self, name: str, then: Callable[[], object]) -> None:
        self.name, self.then = name, then

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self.name or self not in sys.meta_path:
            return None
        # Only those behind this one are asked, so that two watchers of a module both see it.
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Follower(spec.loader, self)
                return spec
        return None

    def arrived(self) -> None:
        """The module has been imported: leave, then tell."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self.then()


class _Follower(importlib.abc.Loader):
    """A module's own loader, which tells the watcher when it is done."""

    def __init__(self, loader: Any, watcher: _Watcher) -> None:
        self.loader, self.watcher = loader, watcher

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.loader, attribute)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self.loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        self.loader.exec_module(module)
        self.watcher.arrived()


def after_import(name: str, then: Callable[[], object]) -> None:
    """Call `then` now if module `name` is loaded, else as soon as somebody imports it.

    Keras finds classes of a saved model only if they are registered, and registering needs Keras:
    this is how our cells are registered in either order of import without importing Keras here.
    """
    if name in sys.modules:
        then()
    else:
        sys.meta_path.insert(0, _Watcher(name, then))
