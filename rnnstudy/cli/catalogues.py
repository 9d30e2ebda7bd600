"""Lists of what a spec can name, and of what suits which task."""

import json
from collections.abc import Iterator, Mapping

from rich.text import Text

from rnnstudy.analyses import ANALYSES, Analysis
from rnnstudy.cells import CELLS
from rnnstudy.claims import CLAIMS
from rnnstudy.cli.shipped_specs import needs_files, shipped_specs
from rnnstudy.core.component import Entry
from rnnstudy.metrics import METRICS
from rnnstudy.tasks import TASKS, Task
from rnnstudy.tasks.losses import LOSSES

LISTS: Mapping[str, Mapping[str, type[Entry]]] = {
    "tasks": TASKS,
    "losses": LOSSES,
    "cells": CELLS,
    "analyses": ANALYSES,
    "metrics": METRICS,
    "claims": CLAIMS,
}
"""Word of `rnnstudy list` -> what a spec can name."""


def overview_lines() -> Iterator[Text]:
    """Yield the words that `list` takes, each with its entries, and what suits which task.

    Examples
    --------
    >>> next(overview_lines()).plain.split(":")[0]
    'tasks'
    """
    for word, catalogue in LISTS.items():
        yield Text.assemble((word, "bold"), f": {', '.join(catalogue)}")
    yield from example_lines()
    yield Text("")
    yield Text("`rnnstudy list WORD` shows the fields of each entry.")
    yield Text("`rnnstudy run --example NAME` runs an example.")
    yield Text("")
    yield from suitability_lines()


def example_lines() -> Iterator[Text]:
    """Yield the examples that run as they are, and those whose files a user makes first."""
    specs = shipped_specs()
    incomplete = [name for name, path in specs.items() if needs_files(path)]
    ready = [name for name in specs if name not in incomplete]
    yield Text.assemble(("examples", "bold"), f": {', '.join(ready)}")
    if incomplete:
        yield Text(f"  with files that tools/ of the repository makes: {', '.join(incomplete)}")


def suitability_lines() -> Iterator[Text]:
    """Yield the analyses and claims that suit every task, and the further ones of each task."""
    tasks = default_tasks()
    for word in ("analyses", "claims"):
        suits = {kind: suitable_tasks(kind, word, tasks) for kind in LISTS[word]}
        general = [kind for kind, names in suits.items() if len(names) == len(tasks)]
        if general:
            yield Text.assemble(f"{word} for all tasks: ", ", ".join(general))
        for name in tasks:
            special = [kind for kind, names in suits.items() if name in names]
            if further := [kind for kind in special if kind not in general]:
                yield Text.assemble(f"{word} for ", (name, "bold"), f" too: {', '.join(further)}")


def entry_lines(word: str) -> Iterator[Text]:
    """Yield the entries of a catalogue with their fields.

    Parameters
    ----------
    word
        One of `LISTS`.
    """
    tasks = default_tasks()
    for kind, entry in LISTS[word].items():
        summary = (entry.__doc__ or "").partition("\n")[0]
        yield Text.assemble((kind, "bold"), f": {summary}")
        if issubclass(entry, Analysis):
            names = suitable_tasks(kind, word, tasks)
            yield Text(f"    for: {'all tasks' if len(names) == len(tasks) else ', '.join(names)}")
        for name, field in entry.model_fields.items():
            default = "required" if field.is_required() else _plain(field.get_default())
            text = " ".join((field.description or "").split())
            yield Text(f"    {name} ({default}): {text}")


def default_tasks() -> dict[str, Task]:
    """Return each task of the catalogue that needs no settings, with its defaults, by its kind."""
    return {
        kind: task()
        for kind, task in TASKS.items()
        if not any(field.is_required() for field in task.model_fields.values())
    }


def suitable_tasks(kind: str, word: str, tasks: Mapping[str, Task]) -> list[str]:
    """Return the names of tasks whose networks an analysis or claim can be used for.

    An analysis that reads another one by default needs a task that suits both.

    Parameters
    ----------
    kind
        Kind of the analysis or claim.
    word
        Its catalogue, `analyses` or `claims`.
    tasks
        Name -> task.

    Examples
    --------
    >>> suitable_tasks("line_attractor", "claims", default_tasks())
    ['integration']
    """
    reader = LISTS[word][kind]
    assert issubclass(reader, Analysis)
    return [name for name, task in tasks.items() if _suits(reader, task)]


def _suits(reader: type[Analysis], task: Task) -> bool:
    """Return whether an analysis with default settings, and those that it reads, fit a task."""
    settings = reader.model_construct()
    try:
        if not settings.applies(task):
            return False
    except AttributeError:  # It depends on a field without a default, such as another claim.
        return True
    name = getattr(settings, "of", None)
    return name not in ANALYSES or _suits(ANALYSES[name], task)


def _plain(value: object) -> str:
    return json.dumps(value.model_dump(mode="json")) if isinstance(value, Entry) else str(value)
