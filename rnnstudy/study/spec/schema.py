"""The JSON Schema of specs, for editors."""

from typing import Any

from rnnstudy.study.spec.study import Study


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a spec, as the YAML language server reads it."""
    found = Study.model_json_schema()
    parts = found["$defs"]
    # An editor says more of a mistake inside if there is no alternative to fit.
    found["properties"]["networks"] = _given(found["properties"]["networks"])
    networks = parts["Networks"]["properties"]
    where = {
        "task": _one_or_many({"type": "string"}),
        "cell": _one_or_many({"type": "string"}),
        "activation": networks["activations"],
        "units": networks["units"],
        "seed": _one_or_many({"type": "integer"}),
        **{name: networks[name] for name in parts["Training"]["properties"]},
    }
    # Fields that two cells of a kind differ in may stand here too, so other keys are allowed.
    parts["Override"]["properties"]["where"]["properties"] = {
        name: {key: part for key, part in field.items() if key != "default"}
        for name, field in where.items()
    }
    change = parts["Change"]["properties"]
    change["training"] |= parts["Training"] | {"description": change["training"]["description"]}
    change["cell"]["properties"] = _cell_fields(networks["cells"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _given(field: dict[str, Any]) -> dict[str, Any]:
    """An optional field as it is where it is given."""
    (alternative,) = (each for each in field["anyOf"] if each != {"type": "null"})
    found: dict[str, Any] = alternative | {"description": field["description"]}
    return found


def _one_or_many(item: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _cell_fields(cells: dict[str, Any]) -> dict[str, Any]:
    """Every field of every cell of the catalogue but `kind`."""
    variants = cells["anyOf"][0]["anyOf"]
    fields = {n: field for v in variants for n, field in v.get("properties", {}).items()}
    return {name: field for name, field in fields.items() if name != "kind"}
