"""Answers of commands as JSON: one document with keys that stay (docs/guide/spec.md)."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from pydantic_core import to_jsonable_python

from rnnstudy.analyses import Analysis
from rnnstudy.cli.catalogues import LISTS, default_tasks, suitable_tasks
from rnnstudy.cli.shipped_specs import shipped_specs
from rnnstudy.cli.summaries.plan_summary import network_groups, repeated_networks
from rnnstudy.cli.summaries.run_summary import control_mark
from rnnstudy.core.component import Component
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.plan.train import total_flops
from rnnstudy.study.results.failures import collect
from rnnstudy.study.results.run import Run
from rnnstudy.study.results.verdict_table import ClaimResult, verdict_columns
from rnnstudy.study.spec.study import Study
from rnnstudy.study.upkeep.sizes import sizes_of
from rnnstudy.training.cost import core_hours

DOCUMENT_FORMAT = 1
"""Format of the documents. It is raised when a key goes or changes its meaning."""

Document = dict[str, Any]


def json_text(document: Mapping[str, Any]) -> str:
    """Return a document as JSON, with null for numbers that are not finite.

    Parameters
    ----------
    document
        The document.

    Examples
    --------
    >>> json_text({"effect": float("nan")}).split()
    ['{', '"format":', '1,', '"effect":', 'null', '}']
    """
    content = _plain({"format": DOCUMENT_FORMAT, **document})
    return json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False)


def _plain(value: Any) -> Any:
    """Return a value in types of JSON."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float) else _foreign(value)


def _foreign(value: Any) -> Any:
    """Return a number of NumPy, a component or another object in types of JSON."""
    if hasattr(value, "item"):
        return _plain(value.item())
    if isinstance(value, Component):
        return _plain(value.model_dump(mode="json"))
    return _plain(to_jsonable_python(value, fallback=str))


def plan_document(study: Study, plan: Plan) -> Document:
    """Return the networks of a study, the results in its store, and the cost of the rest.

    Parameters
    ----------
    study
        The study.
    plan
        Its plan.
    """
    memory, costs = plan.memory(), plan.costs()
    return {
        "study": study.study,
        "tasks": [task.title for task in study.tasks],
        "networks": len(plan.networks),
        "groups": [
            {**group.fields, "networks": group.networks, "parameters": group.parameters}
            for group in network_groups(plan)
        ],
        "repeated_networks": repeated_networks(plan),
        "results": [
            {"kind": kind, "done": done, "total": total} for kind, done, total in plan.done
        ],
        "to_train": _training(plan.cohorts),
        "to_train_later": _training(plan.waiting),
        "costs": [
            {
                "kind": kind,
                "work": dict(cost.work),
                "bytes": cost.bytes,
                "memory": memory.get(kind) or None,
            }
            for kind, cost in costs.items()
        ],
        "bytes": sum(cost.bytes for cost in costs.values()),
    }


def _training(cohorts: Sequence[Job]) -> Document | None:
    if not cohorts:
        return None
    operations = total_flops(cohorts)
    return {
        "networks": sum(len(job.trains) for job in cohorts),
        "cohorts": len(cohorts),
        "operations": operations,
        "core_hours": core_hours(operations),
        "memory": max(job.memory for job in cohorts),
    }


def run_document(run: Run, plan: Plan) -> Document:
    """Return how far a run is, and how its networks and claims fare.

    Parameters
    ----------
    run
        The run.
    plan
        Its plan.
    """
    table, page = run.members, run.directory / "report" / "index.html"
    status = dict.fromkeys(("trained", "diverged", "missing"), 0)
    status.update(table["status"].value_counts().to_dict())
    left_out = table[table["left_out"] != ""]
    return {
        **claims_document(run),
        **plan_document(run.study, plan),
        "status": status,
        "solved": int(table["solved"].eq(True).sum()),
        "diverged": list(table["member"][table["status"] == "diverged"]),
        "left_out": [
            {"network": name, "reason": reason}
            for name, reason in zip(left_out["member"], left_out["left_out"], strict=True)
        ],
        "selected": [
            {"networks": group.name, "fields": dict(group.candidates[result.chosen])}
            for group, result in run.selections()
            if result is not None
        ],
        "failures": [
            {
                "kind": failure.kind,
                "task": failure.task,
                "networks": list(failure.members),
                "label": failure.label,
                "reason": failure.reason,
            }
            for failure in run.failures()
        ],
        "report": str(page) if page.exists() else None,
        "sizes": {
            part: {"files": count, "bytes": size}
            for part, (count, size) in sizes_of(run, plan).items()
        },
    }


def claims_document(run: Run) -> Document:
    """Return the claims of a run, with the columns of `Run.claims` and the mark of the controls.

    Parameters
    ----------
    run
        The run.
    """
    results = collect(run.verdicts)[0]
    return {
        "study": run.study.study,
        "directory": str(run.directory),
        "claims": _claim_rows(results),
    }


def _claim_rows(results: Sequence[ClaimResult]) -> list[Document]:
    columns = verdict_columns(results)
    return [
        {
            **{name: values[i] for name, values in columns.items()},
            "effect_is": result.texts.effect or result.texts.statistic,
            "controls": control_mark(result) or None,
        }
        for i, result in enumerate(results)
    ]


def catalogue_document(word: str | None) -> Document:
    """Return what a spec can name, of one catalogue or of all.

    Parameters
    ----------
    word
        One of `LISTS`; None for all of them and the examples.

    Examples
    --------
    >>> [entry["kind"] for entry in catalogue_document("cells")["cells"]][:2]
    ['vanilla', 'ugrnn']
    """
    if word is not None:
        return {word: _entries(word)}
    names = {name: str(path) for name, path in shipped_specs().items()}
    return {**{each: _entries(each) for each in LISTS}, "examples": names}


def _entries(word: str) -> list[Document]:
    tasks = default_tasks()
    return [
        {
            "kind": kind,
            "summary": (entry.__doc__ or "").partition("\n")[0],
            "tasks": suitable_tasks(kind, word, tasks) if issubclass(entry, Analysis) else None,
            "fields": [
                {
                    "name": name,
                    "required": field.is_required(),
                    "default": None if field.is_required() else field.get_default(),
                    "description": " ".join((field.description or "").split()),
                }
                for name, field in entry.model_fields.items()
            ],
        }
        for kind, entry in LISTS[word].items()
    ]
