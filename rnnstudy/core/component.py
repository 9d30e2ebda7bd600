"""Components: frozen settings with checked fields, and the addresses of their results.

The fields of a `Component` and their defaults are its YAML. An `Entry` is a component with a `kind`
in a catalogue (see `rnnstudy.core.catalogue`).
"""

import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails

from rnnstudy.core import format_1
from rnnstudy.core.deprecations import adopt_former_methods, current_fields
from rnnstudy.core.errors import SettingError, reraise_below, unknown_key, validation_error
from rnnstudy.core.source.classes import source_hash
from rnnstudy.core.tags import class_of, class_path, tag_of

RECIPE_FORMAT = 2


class Address(str):
    """Address of a result: 40 hex digits of the hash of its recipe and of its inputs' addresses."""

    __slots__ = ("_component", "_inputs")

    _component: "Component"
    _inputs: tuple[str, ...]

    @classmethod
    def of(cls, component: "Component", inputs: tuple[str, ...]) -> Self:
        """Return the address of a component's result for inputs at these addresses."""
        address = cls(_hash(RECIPE_FORMAT, component._recipe, inputs))
        address._component, address._inputs = component, inputs
        return address

    @property
    def in_format_1(self) -> str:
        """Address of the same result in a store of the previous version."""
        inputs = tuple(getattr(address, "in_format_1", address) for address in self._inputs)
        return _hash(1, _json(self._component._recipe_in_format_1), inputs)


def _hash(form: int, recipe: str, inputs: tuple[str, ...]) -> str:
    # As `_json` writes them, but faster: a plan has many addresses.
    listed = ",".join(map(encode_basestring_ascii, inputs))
    text = f'{{"format":{form},"inputs":[{listed}],"recipe":{recipe}}}'
    return hashlib.sha256(text.encode()).hexdigest()[:40]


class Component(BaseModel):
    """Base class of settings: a frozen value with checked fields.

    Unknown keys, NaN and implicit conversions of types are errors. A field of several values has a
    tuple type and accepts a list. Attribute docstrings describe the fields.

    Raises
    ------
    SettingError
        A field is unknown or has a value outside of its type and bounds. It is a ValueError.

    Examples
    --------
    >>> from rnnstudy.core.component import Component
    >>> class Stimulus(Component):
    ...     strength: float = 1.0
    >>> Stimulus(strength=2).replace(strength=0.5)
    Stimulus(strength=0.5)
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        json_schema_extra=lambda schema: _summarise(schema),
    )

    version: ClassVar[int] = 1
    """Version of the method, raised by hand whenever its results change."""

    labels: ClassVar[frozenset[str]] = frozenset()
    """Names of fields that do not change results; they are not part of the address."""

    former_fields: ClassVar[Mapping[str, str]] = {}
    """Former name of a field -> its name. Former names are accepted with a warning."""

    recipe_names: ClassVar[Mapping[str, str]] = {}
    """Name of a field -> its name in the recipe, if it was renamed after results were stored."""

    added_fields: ClassVar[Mapping[str, Any]] = {}
    """Name of a field that was added after results were stored -> its value in those results.

    With this value a field is not part of the address. Subclasses list their own fields alone."""

    def __init__(self, /, **fields: Any) -> None:
        try:
            # As BaseModel does; one more frame would shift the places of warnings.
            self.__pydantic_validator__.validate_python(fields, self_instance=self)
        except ValidationError as error:
            raise SettingError(type(self).__name__, fields, error) from None

    # Nested values of a spec are validated without this constructor, so that errors keep paths.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def recipe(self) -> dict[str, Any]:
        """Return all that determines this component's results, as plain JSON data."""
        return {
            "tag": tag_of(type(self)),
            "version": self.version,
            "fields": {
                self.recipe_names.get(name, name): _recipe_of(getattr(self, name))
                for name in self._recipe_fields()
            },
            **self._source,
        }

    @property
    def _source(self) -> dict[str, str]:
        """Hash of the source of a user's class; empty for a class of this package."""
        source = source_hash(type(self))
        return {"source": source} if source else {}

    def _recipe_fields(self) -> list[str]:
        """Return the names of the fields that are part of the address."""
        added = _added_fields(type(self))
        return [
            name
            for name in type(self).model_fields
            if name not in self.labels
            and not (name in added and getattr(self, name) == added[name])
        ]

    def key(self, *inputs: str) -> Address:
        """Return the address of this component's result for inputs at these addresses."""
        return Address.of(self, inputs)

    @functools.cached_property
    def _recipe(self) -> str:
        """Recipe as text, cached since a plan has many addresses of one component."""
        return _json(self._recipe_data)

    @functools.cached_property
    def _recipe_data(self) -> dict[str, Any]:
        """Recipe, cached since thousands of networks share a task, a cell and a protocol."""
        return self.recipe()

    @functools.cached_property
    def _recipe_in_format_1(self) -> dict[str, Any]:
        """Recipe in format 1, with paths of classes and former names of fields."""
        tag = tag_of(type(self))
        names = {name: self.recipe_names.get(name, name) for name in self._recipe_fields()}
        return {
            "class": format_1.path_of(tag),
            "version": self.version,
            "fields": {
                format_1.field_of(tag, former): _recipe_of(
                    getattr(self, name), "_recipe_in_format_1"
                )
                for name, former in names.items()
            },
            **self._source,
        }

    def replace(self, **fields: Any) -> Self:
        """Return a copy with other values of some fields, checked like the original."""
        unchanged = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**unchanged, **self.current_fields(fields)})

    def serialise(self) -> dict[str, Any]:
        """Return plain JSON data from which `restore` rebuilds this component."""
        return {"tag": tag_of(type(self)), "fields": self.model_dump(mode="json")}

    @classmethod
    def current_fields(cls, data: Mapping[str, Any], stacklevel: int = 2) -> Mapping[str, Any]:
        """Return fields under their current names, with a warning for each former name."""
        former = cls.former_fields_of(data)
        return current_fields(cls.__name__, former, data, stacklevel + 1) if former else data

    @classmethod
    def former_fields_of(cls, data: Mapping[str, Any]) -> Mapping[str, str]:
        """Return former name -> name for the fields of `data` that have a former name."""
        if cls.former_fields.keys().isdisjoint(data):
            return {}
        return {former: name for former, name in cls.former_fields.items() if former in data}

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Accept lists for tuples, and add the known keys to errors of unknown keys."""
        fields = data
        if type(data) is dict:
            fields = {key: _frozen(part) for key, part in cls.current_fields(data, 3).items()}
        try:
            return handler(fields)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            if not any(_unknown_key(each) or _setting_error(each) for each in errors):
                raise
            lines = [
                unknown_key(str(each["loc"][0]), cls.model_fields, each["input"])
                if _unknown_key(each)
                else reraise_below(each, loc)
                for outer in errors
                for each, loc in _inner_errors(outer)
            ]
            raise validation_error(cls.__name__, lines) from None


class Entry(Component):
    """Component with a `kind` in a catalogue; the kind of a user's own class is its path.

    Examples
    --------
    >>> from rnnstudy.cells.gru import GRU
    >>> GRU.kind, GRU(units=4).model_dump()["kind"]
    ('gru', 'gru')
    """

    former_methods: ClassVar[Mapping[str, str]] = {}
    """Former name of a method that subclasses override -> its name."""

    noun: ClassVar[str] = ""
    """Noun of the catalogue, set by its base class."""

    kind: ClassVar[str] = ""
    """Name in the catalogue."""

    entry_tag: ClassVar[str] = ""
    """Tag of an entry of this package's catalogues; empty for other classes."""

    @property
    def title_in_words(self) -> str:
        """Title for readers of a report; default: the kind in words."""
        return kind_in_words(self.kind)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        adopt_former_methods(cls)
        has_kind = "kind" in cls.__dict__
        if not has_kind:
            cls.kind = class_path(cls)
        is_listed = has_kind and cls.__module__.startswith("rnnstudy.")
        cls.entry_tag = f"{cls.noun}:{cls.kind}" if is_listed else ""

    @model_serializer(mode="wrap")
    def _with_kind(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **handler(self)}


@functools.cache
def _added_fields(cls: type[Component]) -> dict[str, Any]:
    """Return `Component.added_fields` of a class and of its bases."""
    listed = [vars(base).get("added_fields", {}) for base in reversed(cls.__mro__)]
    return {name: value for fields in listed for name, value in fields.items()}


ABBREVIATIONS = frozenset({"cca", "cka", "dsa", "gru", "lru", "lstm", "mds", "pwcca", "rnn",
                           "rsa", "svcca", "ugrnn"})  # fmt: skip
"""Parts of kinds that are written in capitals."""


def kind_in_words(kind: str) -> str:
    """Return a kind, or the name of a class of a user, as a title in words.

    Examples
    --------
    >>> kind_in_words("graph_distances"), kind_in_words("mine:StableShare"), kind_in_words("svcca")
    ('Graph distances', 'Stable share', 'SVCCA')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", kind.rpartition(":")[2]).replace("_", " ")
    words = [
        word.upper() if word.lower() in ABBREVIATIONS else word.lower() for word in spaced.split()
    ]
    return upper_first(" ".join(words)) or kind


def upper_first(text: str) -> str:
    """Return a text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Return a text for the middle of a sentence; abbreviations keep their capitals."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def join_words(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    Examples
    --------
    >>> join_words(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def summary(docstring: str) -> str:
    """Return a docstring without its numpydoc sections."""
    return re.split(r"\n\n[A-Z]\w+\n-{3,}\n", docstring, maxsplit=1)[0]


def _summarise(schema: dict[str, Any]) -> None:
    """Shorten the description of a component's JSON schema."""
    if "description" in schema:
        schema["description"] = summary(schema["description"])


def _json(value: Any) -> str:
    """Return JSON in the form that addresses are hashed from."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def restore(stored: Mapping[str, Any]) -> Component:
    """Return the component that `Component.serialise` wrote, in this format or in format 1."""
    tag = stored["tag"] if "tag" in stored else format_1.tag_of_path(stored["class"])
    cls = class_of(tag)
    if not issubclass(cls, Component):
        raise TypeError(f"{tag} must be a component, got a {cls.__name__}")
    names = stored["fields"] if "tag" in stored else format_1.rename_fields(tag, stored["fields"])
    fields = {name: value for name, value in names.items() if name != "kind"}
    return cls.model_validate_json(json.dumps(fields))


def _recipe_of(value: Any, form: str = "_recipe_data") -> Any:
    if isinstance(value, Component):
        return getattr(value, form)
    if isinstance(value, Mapping):
        return {name: _recipe_of(part, form) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_recipe_of(part, form) for part in value]
    return value


def components_in(value: Any) -> Iterator[Component]:
    """Yield a component and all components in its fields, or all in a collection."""
    if isinstance(value, Component):
        yield value
        value = [getattr(value, name) for name in type(value).model_fields]
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, tuple | list):
        for part in value:
            yield from components_in(part)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(part) for part in value)
    if type(value) is dict:
        return {key: _frozen(part) for key, part in value.items()}
    return value


def _setting_error(error: ErrorDetails) -> SettingError | None:
    """Return the error of another component that a validator constructed, if that was wrong."""
    cause = error.get("ctx", {}).get("error")
    return cause if isinstance(cause, SettingError) else None


def _inner_errors(error: ErrorDetails) -> Iterator[tuple[ErrorDetails, tuple[str | int, ...]]]:
    """Yield the errors that stand for one error, each with the location that it is below."""
    cause = _setting_error(error)
    if cause is None:
        yield error, ()
    else:
        yield from ((each, error["loc"]) for each in cause.validation.errors(include_url=False))


def _unknown_key(error: ErrorDetails) -> bool:
    return error["type"] == "extra_forbidden" and len(error["loc"]) == 1
