"""Lazy imports of heavy libraries, and hooks after an import.

`import rnnstudy` and `rnnstudy check` must be fast. Therefore no module imports TensorFlow, Keras
or pandas at its top level. They are available as `tf`, `keras` and `pd` from this module, and so
are the modules of `rnnstudy.keras_bridge`.
"""

import importlib
import importlib.abc
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any


class LazyModule:
    """Stand-in for a module that is imported at the first access to one of its names."""

    def __init__(self, name: str, before: Callable[[], None] | None = None) -> None:
        self._name, self._before = name, before

    def __getattr__(self, attribute: str) -> Any:
        if self._before is not None:
            self._before()
            self._before = None
        return getattr(importlib.import_module(self._name), attribute)


class BackendError(RuntimeError):
    """Keras is set up for a backend that this package cannot use. The message is for the user."""


def refuse_other_backends() -> None:
    """Raise BackendError unless Keras runs on TensorFlow. Nothing is imported.

    Raises
    ------
    BackendError
        If the environment, or the settings file of Keras, names another backend.

    Examples
    --------
    >>> from rnnstudy.core.lazy_imports import refuse_other_backends
    >>> refuse_other_backends()
    """
    backend, origin = _keras_backend()
    if backend != "tensorflow":
        raise BackendError(
            f"Keras must run on TensorFlow, got the backend {backend!r} from {origin}. "
            "Set KERAS_BACKEND=tensorflow."
        )


def _keras_backend() -> tuple[str, str]:
    """Return the backend that Keras has or will have, and where it is set."""
    loaded = sys.modules.get("keras")
    if loaded is not None and hasattr(loaded, "backend"):
        return str(loaded.backend.backend()), "Keras, which is loaded already"
    if name := os.environ.get("KERAS_BACKEND"):
        return name, "the environment variable KERAS_BACKEND"
    folder = Path(os.environ.get("KERAS_HOME") or Path("~").expanduser() / ".keras")
    try:
        settings = json.loads((folder / "keras.json").read_text(encoding="utf-8"))
        return str(settings["backend"]), str(folder / "keras.json")
    except (OSError, ValueError, KeyError, TypeError):
        return "tensorflow", "the default of Keras"


tf: Any = LazyModule("tensorflow")
keras: Any = LazyModule("keras", refuse_other_backends)
pd: Any = LazyModule("pandas")
keras_models: Any = LazyModule("rnnstudy.keras_bridge.to_keras")
models: Any = LazyModule("rnnstudy.keras_bridge.from_keras")
"""The one exception to the order of layers: two modules of the Keras bridge, which is above the
population. `Population.model` and `Population.from_models` use them."""


class ImportHook(importlib.abc.MetaPathFinder):
    """Import hook that calls `then` once, after the module `name` has been imported.

    The hook stays until an import succeeds. A test whether the module exists
    (`importlib.util.find_spec`) or a failed import does not remove it.
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
        # Only later finders, so that two hooks of one module both run.
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = HookedLoader(spec.loader, self)
                return spec
        return None

    def finish(self) -> None:
        """Remove the hook and call `then`."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self.then()


class HookedLoader(importlib.abc.Loader):
    """Loader of a module that runs an import hook after the module."""

    def __init__(self, loader: Any, hook: ImportHook) -> None:
        self.loader, self.hook = loader, hook

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.loader, attribute)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self.loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        with self.hook.around():
            self.loader.exec_module(module)
            self.hook.finish()


def after_import(name: str, then: Callable[[], object]) -> None:
    """Call `then` now if module `name` is loaded, else directly after its import.

    Keras loads saved models with registered classes only. The cells of this package are registered
    by this function, without an import of Keras.

    Parameters
    ----------
    name
        Full name of a module.
    then
        Function without arguments.

    Examples
    --------
    >>> from rnnstudy.core.lazy_imports import after_import
    >>> after_import("sys", lambda: print("sys is loaded"))
    sys is loaded
    """
    if name in sys.modules:
        then()
    else:
        sys.meta_path.insert(0, ImportHook(name, then))


def load_triton_first() -> None:
    """Import Triton directly before TensorFlow, in a process that has imported PyTorch.

    PyTorch for CUDA imports Triton when a network is trained or a function is vectorised. After
    TensorFlow this import ends the process by a segmentation fault. In the other order both work.

    Examples
    --------
    >>> from rnnstudy.core.lazy_imports import load_triton_first
    >>> load_triton_first()
    """
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, ImportHook("tensorflow", lambda: None, _import_triton))


@contextmanager
def _import_triton() -> Iterator[None]:
    if "torch" in sys.modules:
        with suppress(Exception):  # PyTorch for CPUs has no Triton.
            importlib.import_module("triton")
    yield


def quiet_tensorflow() -> None:
    """Suppress TensorFlow's messages on stderr at its start, for a command line.

    On a machine without an NVIDIA device TensorFlow reports missing CUDA despite all settings. With
    a device these messages matter, and are not suppressed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    if not any(os.path.exists(path) for path in ("/proc/driver/nvidia", "/dev/dxg")):
        # The search for devices triggers the last message.
        hook = ImportHook("tensorflow", lambda: tf.config.list_physical_devices(), _mute_stderr)
        sys.meta_path.insert(0, hook)


@contextmanager
def _mute_stderr() -> Iterator[None]:
    """Suppress the process's stderr in this context; write it if an exception is raised."""
    with tempfile.TemporaryFile() as output:
        stderr = os.dup(2)
        os.dup2(output.fileno(), 2)
        try:
            yield
        except BaseException:
            output.seek(0)
            os.write(stderr, output.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
