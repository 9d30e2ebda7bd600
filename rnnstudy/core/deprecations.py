"""Names of the previous version that this version still accepts, each with a warning.

The tables are the only place for former names. The next version empties them.

Rename a public function or class: add `"Old": "New"` to `NAMES`. `rnnstudy.Old` and `Old` in a
module of `MODULES` then return `New`.
Rename a field of a component: set `former_fields = {"old": "new"}` in its class. The constructor
and specs accept `old`. Its name in stored recipes goes to `format_1.FIELDS`.
Rename a kind of a catalogue: add `"old": "new"` to `KINDS[noun]`. `CatalogueField.find` and specs
accept `old`.
Rename a keyword argument: decorate the function with `accept_former_arguments(old="new")`.
Rename a method that users override: set `former_methods = {"old": "new"}` in the base class. A
subclass that defines `old` gets `new`. Rename a method that users call: `accept_former_attributes`.
Remove a kind of a catalogue: add `"old": "was removed, because ... Use ..."` to
`REMOVED_KINDS[noun]`.
Move a module: add `"old.path": "new.path"` to `MODULES`. Imports of the old path still work.
A spec reports each former word with its file, line and key (`spec_text/former_words.py`).
"""

import importlib
import importlib.abc
import sys
import warnings
from abc import update_abstractmethods
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

P = ParamSpec("P")
C = TypeVar("C")
R = TypeVar("R")

NAMES: dict[str, str] = {
    "Circling": "CircleSearch",
    "Shooting": "OrbitSearch",
    "Stride": "ContinuationSettings",
    "Search": "FixedPointSearch",
}
"""Former name of a public function or class -> its name."""

KINDS: dict[str, dict[str, str]] = {
    "analysis": {
        "arrangement": "point_geometry",
        "graphs": "graph_distances",
        "groups": "factor_tests",
        "twins": "control_tests",
    },
}
"""Noun of a catalogue -> former kind of an entry -> its kind."""

REMOVED_KINDS: dict[str, dict[str, str]] = {
    "claim": {
        "depends_less": "was removed, because distances that carry no information passed it. Use "
        "alike_across to claim that networks are alike, or geometry_against_topology to describe "
        "two kinds of distances side by side",
    },
}
"""Noun of a catalogue -> removed kind of an entry -> the reason and what replaces it."""

MODULES: dict[str, str] = {
    "rnnstudy.catalogue": "rnnstudy.core.catalogue",
    "rnnstudy.comparison.embedding": "rnnstudy.comparison.distances.embedding",
    "rnnstudy.comparison.pairs": "rnnstudy.comparison.distances.pairs",
    "rnnstudy.component": "rnnstudy.core.component",
    "rnnstudy.dynamics.arclength": "rnnstudy.dynamics.continuation.pseudo_arclength",
    "rnnstudy.dynamics.branches": "rnnstudy.dynamics.continuation.record",
    "rnnstudy.dynamics.circles": "rnnstudy.dynamics.invariant_circles.find",
    "rnnstudy.dynamics.cycles": "rnnstudy.dynamics.periodic_orbits.find",
    "rnnstudy.dynamics.fates": "rnnstudy.dynamics.basins.record",
    "rnnstudy.dynamics.graph": "rnnstudy.dynamics.connections.record",
    "rnnstudy.dynamics.linear": "rnnstudy.dynamics.linearisation.jacobians",
    "rnnstudy.dynamics.modes": "rnnstudy.dynamics.linearisation.modes",
    "rnnstudy.dynamics.nonnormal": "rnnstudy.dynamics.linearisation.non_normality",
    "rnnstudy.dynamics.orbits": "rnnstudy.dynamics.periodic_orbits.record",
    "rnnstudy.dynamics.points": "rnnstudy.dynamics.fixed_points.record",
    "rnnstudy.dynamics.rounds": "rnnstudy.dynamics.invariant_circles.record",
    "rnnstudy.dynamics.search": "rnnstudy.dynamics.fixed_points.search",
    "rnnstudy.dynamics.shooting": "rnnstudy.dynamics.periodic_orbits.search",
    "rnnstudy.dynamics.solvers": "rnnstudy.dynamics.root_finding.solvers",
    "rnnstudy.dynamics.starts": "rnnstudy.dynamics.states.sampling",
    "rnnstudy.dynamics.topology": "rnnstudy.dynamics.connections.connections",
    "rnnstudy.dynamics.transition_record": "rnnstudy.dynamics.connections.transition_record",
    "rnnstudy.dynamics.transitions": "rnnstudy.dynamics.connections.transitions",
    "rnnstudy.exhibit": "rnnstudy.core.exhibit",
    "rnnstudy.lazy": "rnnstudy.core.lazy_imports",
    "rnnstudy.metrics.dsa": "rnnstudy.metrics.linear_dynamics.dsa",
    "rnnstudy.population.keras": "rnnstudy.keras_bridge.to_keras",
    "rnnstudy.population.models": "rnnstudy.keras_bridge.from_keras",
    "rnnstudy.population.protocol": "rnnstudy.training.protocol",
    "rnnstudy.population.training": "rnnstudy.training.train",
    "rnnstudy.record": "rnnstudy.core.record",
    "rnnstudy.study.run": "rnnstudy.study.results.run",
}
"""Former path of a module -> its path."""

FORMER_FIELD, FORMER_KIND = "former_field", "former_kind"
"""Types of pydantic's errors for former words of a spec."""

_as_errors: ContextVar[bool] = ContextVar("former_words_as_errors", default=False)


@contextmanager
def former_words_as_errors() -> Iterator[None]:
    """Let components raise located errors for former words, in place of warnings."""
    token = _as_errors.set(True)
    try:
        yield
    finally:
        _as_errors.reset(token)


def warn_renamed(former: str, name: str, stacklevel: int) -> None:
    """Warn the caller, `stacklevel` frames above, that a name has changed."""
    message = f"{former} was renamed to {name}. The next version refuses the former name."
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel + 1)


def current_name(former: str, stacklevel: int = 2) -> str | None:
    """Return the name that replaced a former public name, with a warning.

    Parameters
    ----------
    former
        A name that is no public name.
    stacklevel
        Frames between this function and the caller to warn, as in `warnings.warn`.

    Returns
    -------
    str or None
        The public name; None if `former` is no former name either.

    Examples
    --------
    >>> from rnnstudy.core.deprecations import current_name
    >>> current_name("NeverPublic") is None
    True
    """
    name = NAMES.get(former)
    if name is not None:
        warn_renamed(former, name, stacklevel + 1)
    return name


def current_fields(
    title: str, former_fields: Mapping[str, str], data: Mapping[str, Any], stacklevel: int = 2
) -> dict[str, Any]:
    """Return the fields of a component of class `title` under their names of today.

    Raises ValidationError if a field is there under both names, and for each former name inside
    `former_words_as_errors`.
    """
    from pydantic import ValidationError  # `import rnnstudy` stays light without it

    former = [name for name in data if name in former_fields]
    errors = [_field_error(name, former_fields[name], data) for name in former]
    if wrong := [error for error in errors if error is not None]:
        raise ValidationError.from_exception_data(title, wrong)
    for name in former:
        warn_renamed(f"{title}.{name}", f"{title}.{former_fields[name]}", stacklevel + 1)
    return {former_fields.get(name, name): value for name, value in data.items()}


def _field_error(former: str, name: str, data: Mapping[str, Any]) -> "InitErrorDetails | None":
    from pydantic_core import InitErrorDetails, PydanticCustomError

    context, message = {"name": name}, "is the former name of {name}"
    kind = FORMER_FIELD
    if name in data:
        kind, message = "unknown_key", message + ", which is also set. Keep one of the two."
    elif not _as_errors.get():
        return None
    error = PydanticCustomError(cast(Any, kind), cast(Any, message), context)
    return InitErrorDetails(type=error, loc=(former,), input=data[former])


def accept_former_arguments(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that accepts keyword arguments of a function by their former names.

    names: former name -> name.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        title = getattr(function, "__name__", "function")

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for former in [name for name in kwargs if name in names]:
                name = names[former]
                if name in kwargs:
                    raise TypeError(f"{title} must get {name} or {former}, got both.")
                warn_renamed(f"{title}({former}=...)", f"{title}({name}=...)", stacklevel=2)
                kwargs[name] = kwargs.pop(former)
            return function(*args, **kwargs)

        return call

    return decorate


def accept_former_attributes(**names: str) -> Callable[[type[C]], type[C]]:
    """Return a decorator for a class whose attributes also answer to their former names.

    names: former name -> name.
    """

    def lookup(self: Any, former: str) -> Any:
        if former not in names:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {former!r}")
        title, name = type(self).__name__, names[former]
        warn_renamed(f"{title}.{former}", f"{title}.{name}", stacklevel=2)
        return getattr(self, name)

    def decorate(cls: type[C]) -> type[C]:
        cls.__getattr__ = lookup  # type: ignore[attr-defined]
        return cls

    return decorate


def adopt_former_methods(cls: type) -> None:
    """Give a class its methods under their names of today where it defines them by former names.

    The former names are those in `former_methods` of the class and of its bases.
    """
    for base in cls.__mro__:
        for former, name in base.__dict__.get("former_methods", {}).items():
            if former in cls.__dict__ and name not in cls.__dict__:
                warn_renamed(f"{cls.__name__}.{former}", f"{cls.__name__}.{name}", stacklevel=4)
                setattr(cls, name, cls.__dict__[former])
    update_abstractmethods(cls)


def current_kind(noun: str, former: str, stacklevel: int = 2) -> str | None:
    """Return the kind that replaced a former kind of a catalogue, with a warning; else None.

    Raises PydanticCustomError inside `former_words_as_errors`.
    """
    kind = KINDS.get(noun, {}).get(former)
    if kind is None:
        return None
    if _as_errors.get():
        from pydantic_core import PydanticCustomError

        message = "is the former name of {name}"
        raise PydanticCustomError(cast(Any, FORMER_KIND), cast(Any, message), {"name": kind})
    warn_renamed(f"The {noun} '{former}'", f"'{kind}'", stacklevel + 1)
    return kind


class _FormerModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import hook for former paths of modules; it follows the finders of existing modules."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in MODULES else None

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        path = MODULES[module.__name__]
        warn_renamed(f"Module {module.__name__}", path, stacklevel=2)

        def lookup(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            return getattr(importlib.import_module(path), NAMES.get(name, name))

        module.__getattr__ = lookup  # type: ignore[method-assign]


def accept_former_modules() -> None:
    """Install the import hook for the paths of `MODULES`, once.

    Examples
    --------
    >>> from rnnstudy.core.deprecations import accept_former_modules
    >>> accept_former_modules()
    """
    if not any(isinstance(finder, _FormerModules) for finder in sys.meta_path):
        sys.meta_path.append(_FormerModules())
