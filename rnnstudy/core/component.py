"""What you ask for: small frozen values that a spec can name.

A `Component`'s typed fields and defaults are its YAML; an `Entry` is a component that is chosen by
`kind` from a catalogue (see `rnnstudy.core.catalogue`).
"""

import functools
import hashlib
import json
from collections.abc import Mapping
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
from rnnstudy.core.deprecations import current_fields
from rnnstudy.core.errors import raised_again, refused, unknown_key
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
        """Address under which the version before this one kept the same result."""
        inputs = tuple(getattr(address, "in_format_1", address) for address in self._inputs)
        return _hash(1, _json(self._component._recipe_in_format_1), inputs)


def _hash(form: int, recipe: str, inputs: tuple[str, ...]) -> str:
    # As `_json` writes them. A plan asks for so many addresses that its overhead would show.
    listed = ",".join(map(encode_basestring_ascii, inputs))
    text = f'{{"format":{form},"inputs":[{listed}],"recipe":{recipe}}}'
    return hashlib.sha256(text.encode()).hexdigest()[:40]


class Component(BaseModel):
    """A frozen value with checked fields: unknown keys, NaN and silent conversions are refused.

    Several values are a tuple in a field's type; they may be given as a list.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    version: ClassVar[int] = 1
    """Bumped by hand whenever the numbers that this component yields change."""

    labels: ClassVar[frozenset[str]] = frozenset()
    """Fields that only name a thing: they do not enter its key."""

    former_fields: ClassVar[Mapping[str, str]] = {}
    """Name of a field in the previous version -> its name; accepted with a warning."""

    def recipe(self) -> dict[str, Any]:
        """All that decides this component's results, as plain JSON data."""
        return {
            "tag": tag_of(type(self)),
            "version": self.version,
            "fields": {
                name: _recipe_of(getattr(self, name))
                for name in type(self).model_fields
                if name not in self.labels
            },
        }

    def key(self, *inputs: str) -> Address:
        """Return the address of this component's result for inputs at these addresses."""
        return Address.of(self, inputs)

    @functools.cached_property
    def _recipe(self) -> str:
        """The recipe as text, written once: a plan asks for many addresses of one component."""
        return _json(self._recipe_data)

    @functools.cached_property
    def _recipe_data(self) -> dict[str, Any]:
        """The recipe, made once: thousands of networks have their task, cell and protocol from a
        few."""
        return self.recipe()

    @functools.cached_property
    def _recipe_in_format_1(self) -> dict[str, Any]:
        """The recipe as format 1 had it, with paths of classes and earlier names of fields."""
        tag = tag_of(type(self))
        return {
            "class": format_1.path_of(tag),
            "version": self.version,
            "fields": {
                format_1.field_of(tag, name): _recipe_of(getattr(self, name), "_recipe_in_format_1")
                for name in type(self).model_fields
                if name not in self.labels
            },
        }

    def changed(self, **fields: Any) -> Self:
        """A copy with some fields replaced, checked like the original."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**given, **self.current_fields(fields)})

    def stored(self) -> dict[str, Any]:
        """Plain JSON data from which `restore` rebuilds this component."""
        return {"tag": tag_of(type(self)), "fields": self.model_dump(mode="json")}

    @classmethod
    def current_fields(cls, data: Mapping[str, Any], stacklevel: int = 2) -> Mapping[str, Any]:
        """Return fields under their names of today, with a warning for each former name."""
        if cls.former_fields.keys().isdisjoint(data):
            return data
        return current_fields(cls.__name__, cls.former_fields, data, stacklevel + 1)

    @model_validator(mode="wrap")
    @classmethod
    def _explained(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Takes lists for tuples, and names the known keys where one is unknown."""
        given = data
        if type(data) is dict:
            given = {key: _frozen(part) for key, part in cls.current_fields(data, 3).items()}
        try:
            return handler(given)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            if not any(_unknown_key(each) for each in errors):
                raise
            lines = [
                unknown_key(str(each["loc"][0]), cls.model_fields, each["input"])
                if _unknown_key(each)
                else raised_again(each)
                for each in errors
            ]
            raise refused(cls.__name__, lines) from None


class Entry(Component):
    """A component that a catalogue lists under its `kind`; outside ones are `module:Class`."""

    noun: ClassVar[str] = ""
    """Noun of the catalogue, which its base class sets."""

    kind: ClassVar[str] = ""

    entry_tag: ClassVar[str] = ""
    """Tag of an entry of this package's catalogues; empty for other classes."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        listed = "kind" in cls.__dict__
        if not listed:
            cls.kind = class_path(cls)
        ours = listed and cls.__module__.startswith("rnnstudy.")
        cls.entry_tag = f"{cls.noun}:{cls.kind}" if ours else ""

    @model_serializer(mode="wrap")
    def _with_kind(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **handler(self)}


def _json(value: Any) -> str:
    """JSON in the one way of writing it that addresses are made of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def restore(stored: Mapping[str, Any]) -> Component:
    """Return the component that `Component.stored` wrote, in this format or in format 1."""
    tag = stored["tag"] if "tag" in stored else format_1.tag_of(stored["class"])
    cls = class_of(tag)
    if not issubclass(cls, Component):
        raise TypeError(f"{tag} is not a component")
    names = stored["fields"] if "tag" in stored else format_1.renamed(tag, stored["fields"])
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


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(part) for part in value)
    if type(value) is dict:
        return {key: _frozen(part) for key, part in value.items()}
    return value


def _unknown_key(error: ErrorDetails) -> bool:
    return error["type"] == "extra_forbidden" and len(error["loc"]) == 1
