"""The JSON Schema of specs, for editors."""

from typing import Any

from rnnstudy.study.spec.networks import CELL_AXES
from rnnstudy.study.spec.study import Study


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of specs, for the YAML language server."""
    study = Study.model_json_schema()
    parts = study["$defs"]
    # Editors locate errors inside a field better if it has no alternatives.
    study["properties"]["networks"] = _without_null(study["properties"]["networks"])
    networks = parts["Networks"]["properties"]
    where = {
        "task": _one_or_many({"type": "string"}),
        "cell": _one_or_many({"type": "string"}),
        "activation": networks["activations"],
        "units": networks["units"],
        "protocol": _one_or_many({"type": "string"}),
        "seed": _one_or_many({"type": "integer"}),
        **{name: networks[name] for name in parts["Training"]["properties"]},
    }
    # Fields that two cells of a kind differ in may stand here too, so other keys are allowed.
    conditions = {
        name: {key: part for key, part in field.items() if key != "default"}
        for name, field in where.items()
    }
    parts["Override"]["properties"]["where"]["properties"] = conditions
    for name in ("include", "exclude"):
        networks[name]["items"]["properties"] = {n: c for n, c in conditions.items() if n != "seed"}
    change = parts["Change"]["properties"]
    change["training"] |= parts["Training"] | {"description": change["training"]["description"]}
    change["cell"]["properties"] = _cell_fields(networks["cells"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **study}


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an optional field without null."""
    (alternative,) = (each for each in field["anyOf"] if each != {"type": "null"})
    schema: dict[str, Any] = alternative | {"description": field["description"]}
    return schema


def _one_or_many(item: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _cell_fields(cells: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of all cells of the catalogue that an override may set."""
    variants = cells["anyOf"][0]["anyOf"]
    fields = {n: field for v in variants for n, field in v.get("properties", {}).items()}
    return {name: field for name, field in fields.items() if name not in ("kind", *CELL_AXES)}
