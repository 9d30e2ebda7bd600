"""The one door through which heavy libraries enter, each at its first use.

`import rnnstudy` and `rnnstudy check` must answer at once, so nothing in this package imports
TensorFlow, Keras or pandas at module level; they are reached as `tf`, `keras` and `pd` from here,
and so are our own modules about Keras.
"""

import importlib
import importlib.abc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
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
keras_models: Any = _Door("rnnstudy.keras_bridge.to_keras")
models: Any = _Door("rnnstudy.keras_bridge.from_keras")
"""The one exception to the order of layers: two modules of the Keras bridge, which is above the
population. `Population.model` and `Population.from_models` use them."""


class _Watcher(importlib.abc.MetaPathFinder):
    """Calls `then` once, right after the module `name` has been imported.

    It stays until an import succeeds: somebody may only ask whether the module exists
    (`importlib.util.find_spec`), and an import may fail and be tried again.
    """

    def __init__(
        self,
        name: str,
        then: Callable[[], object],
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.name, self.then, self.around = name, then, around

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
        with self.watcher.around():
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


def quiet_tensorflow() -> None:
    """For a command line: drop the notes that TensorFlow writes to stderr when it starts.

    On a machine without an NVIDIA device it also complains, past every setting of its own, that
    there is no CUDA; with a device such lines matter, and stay.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    if not any(os.path.exists(path) for path in ("/proc/driver/nvidia", "/dev/dxg")):
        # Looking for devices is what provokes the last complaint.
        watcher = _Watcher("tensorflow", lambda: tf.config.list_physical_devices(), _muted)
        sys.meta_path.insert(0, watcher)


@contextmanager
def _muted() -> Iterator[None]:
    """Nothing reaches the process's stderr, unless an exception shows that it mattered."""
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
