"""Former words of a spec, replaced in its document, each with a warning that names its place."""

import warnings
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rnnstudy.core.deprecations import FORMER_FIELD, FORMER_KIND
from rnnstudy.study.spec_text.document import Document, Keys, dotted_path
from rnnstudy.study.spec_text.messages import keys_of


def replace_former_words(error: ValidationError, document: Document) -> bool:
    """Replace the former words that an error reports; return whether there were any.

    Warns of each word with its file and line, as errors of the spec are reported.
    """
    errors = [
        each
        for each in error.errors(include_url=False)
        if each["type"] in (FORMER_FIELD, FORMER_KIND)
    ]
    for keys, each in {keys_of(each, document.data): each for each in errors}.items():
        _warn(keys, each, document)
        if each["type"] == FORMER_FIELD:
            _rename_key(document, keys, each["ctx"]["name"])
        else:
            _part(document.data, keys[:-1])[keys[-1]] = each["ctx"]["name"]
    return bool(errors)


def _warn(keys: Keys, error: ErrorDetails, document: Document) -> None:
    is_field = error["type"] == FORMER_FIELD
    location = document.location(keys, of_name=is_field)
    former = keys[-1] if is_field else _part(document.data, keys)
    name = error["ctx"]["name"]
    message = (
        f"{location.text}: {dotted_path(keys)}: '{former}' was renamed to '{name}'. "
        "The next version refuses the former name."
    )
    warnings.warn(message, FutureWarning, stacklevel=2)


def _rename_key(document: Document, keys: Keys, name: str) -> None:
    """Rename a key in its place, and move the places of all that is below it."""
    mapping = _part(document.data, keys[:-1])
    items = [(name if key == keys[-1] else key, value) for key, value in mapping.items()]
    mapping.clear()
    mapping.update(items)
    for places in (document.names, document.values):
        for path in [path for path in places if path[: len(keys)] == keys]:
            places[(*keys[:-1], name, *path[len(keys) :])] = places.pop(path)


def _part(data: Any, keys: Keys) -> Any:
    for key in keys:
        data = data[key]
    return data
