"""What you ask for: small frozen values that a spec can name.

A `Component`'s typed fields and defaults are its YAML; an `Entry` is a component that is chosen by
`kind` from a catalogue (see `rnnstudy.catalogue`).
"""

import difflib
import functools
import hashlib
import importlib
import json
from collections.abc import Collection, Iterable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, ClassVar, Self, cast, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

RECIPE_FORMAT = 1


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

    def recipe(self) -> dict[str, Any]:
        """All that decides this component's results, as plain JSON data."""
        return {
            "class": class_path(type(self)),
            "version": self.version,
            "fields": {
                name: _recipe_of(getattr(self, name))
                for name in type(self).model_fields
                if name not in self.labels
            },
        }

    def key(self, *inputs: str) -> str:
        """Address of this component's result, given the keys of what it reads (40 hex digits)."""
        # As `_json` writes them; a plan asks for so many addresses that its overhead would show.
        listed = ",".join(map(encode_basestring_ascii, inputs))
        text = f'{{"format":{RECIPE_FORMAT},"inputs":[{listed}],"recipe":{self._recipe}}}'
        return hashlib.sha256(text.encode()).hexdigest()[:40]

    @functools.cached_property
    def _recipe(self) -> str:
        """The recipe as text, written once: a plan asks for many addresses of one component."""
        return _json(self._recipe_data)

    @functools.cached_property
    def _recipe_data(self) -> dict[str, Any]:
        """The recipe, made once: thousands of networks have their task, cell and protocol from a
        few."""
        return self.recipe()

    def changed(self, **fields: Any) -> Self:
        """A copy with some fields replaced, checked like the original."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**given, **fields})

    def stored(self) -> dict[str, Any]:
        """Plain JSON data from which `restore` rebuilds this component."""
        return {"class": class_path(type(self)), "fields": self.model_dump(mode="json")}

    @model_validator(mode="wrap")
    @classmethod
    def _explained(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Takes lists for tuples, and names the known keys where one is unknown."""
        given = {key: _frozen(part) for key, part in data.items()} if type(data) is dict else data
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

    kind: ClassVar[str] = ""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "kind" not in cls.__dict__:
            cls.kind = class_path(cls)

    @model_serializer(mode="wrap")
    def _with_kind(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **handler(self)}


def _json(value: Any) -> str:
    """JSON in the one way of writing it that addresses are made of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def class_path(cls: type) -> str:
    """The text `package.module:Class` that finds a class again."""
    return f"{cls.__module__}:{cls.__qualname__}"


def find_class(path: str) -> type:
    """The class at `package.module:Class`; ImportError or AttributeError if there is none."""
    module, _, name = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not isinstance(found, type):
        raise AttributeError(f"{path} is not a class")
    return found


def restore(stored: Mapping[str, Any]) -> Component:
    """The component that `Component.stored` wrote down."""
    cls = find_class(stored["class"])
    if not issubclass(cls, Component):
        raise TypeError(f"{stored['class']} is not a component")
    fields = {name: value for name, value in stored["fields"].items() if name != "kind"}
    return cls.model_validate_json(json.dumps(fields))


def _recipe_of(value: Any) -> Any:
    if isinstance(value, Component):
        return value._recipe_data
    if isinstance(value, Mapping):
        return {name: _recipe_of(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_recipe_of(part) for part in value]
    return value


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(part) for part in value)
    if type(value) is dict:
        return {key: _frozen(part) for key, part in value.items()}
    return value


def _unknown_key(error: ErrorDetails) -> bool:
    return error["type"] == "extra_forbidden" and len(error["loc"]) == 1


def raised_again(error: ErrorDetails, loc: tuple[str | int, ...] = ()) -> InitErrorDetails:
    """An error that was caught, ready to be raised again below a location."""
    kind: str | PydanticCustomError = error["type"]
    if kind not in _PYDANTICS:
        kind = PydanticCustomError(error["type"], error["msg"], error.get("ctx"))
    context = error.get("ctx", {})
    return InitErrorDetails(type=kind, loc=(*loc, *error["loc"]), input=error["input"], ctx=context)


_PYDANTICS = set(get_args(core_schema.ErrorType))


def refused(title: str, errors: Iterable[InitErrorDetails]) -> ValidationError:
    """Errors at places inside a value, as a validator raises them."""
    return ValidationError.from_exception_data(title, list(errors))


def mistake(
    kind: str, message: str, loc: tuple[str | int, ...] = (), came: Any = None
) -> InitErrorDetails:
    """An error of our own somewhere inside the value that is being checked."""
    # Pydantic fills in {names}, and a message that quotes what came may hold braces of its own.
    error = PydanticCustomError(cast(Any, kind), "{message}", {"message": message})
    return InitErrorDetails(type=error, loc=loc, input=came)


def unknown_key(
    key: str, known: Collection[str], came: Any = None, loc: tuple[str | int, ...] = ()
) -> InitErrorDetails:
    """The error that a key, below a location, is not one of the known ones."""
    context = {"known": ", ".join(known), "hint": suggestion(key, known)}
    message = "is not a known key; known keys: {known}{hint}"
    kind = PydanticCustomError("unknown_key", message, context)
    return InitErrorDetails(type=kind, loc=(*loc, key), input=came)


def suggestion(word: str, known: Collection[str]) -> str:
    """`; did you mean 'gru'?` for a near miss of a known word, else nothing."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""
