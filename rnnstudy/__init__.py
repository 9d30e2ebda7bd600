"""Populations of recurrent networks: training, dynamics, comparison.

The public names stand in `__init__.pyi`. Each is imported at its first use, so that
`import rnnstudy` stays light (lazy-loader, the convention SPEC 1 of scientific Python).
"""

import importlib
from typing import Any

import lazy_loader

from rnnstudy.core.deprecations import accept_former_modules, current_name
from rnnstudy.core.lazy_imports import after_import, load_triton_first

_public, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("rnnstudy")
    name = name if name in __all__ else current_name(name) or name
    if name not in __all__:
        raise AttributeError(f"module 'rnnstudy' has no attribute '{name}'")
    return _public(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


accept_former_modules()
load_triton_first()

# Keras finds the classes of a saved model of ours only once they are registered.
after_import("keras", lambda: importlib.import_module("rnnstudy.keras_bridge.to_keras"))
