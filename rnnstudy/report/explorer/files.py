"""Files of the explorer, which the page loads when they are asked for."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rnnstudy.analyses.distances.embedding import Embedding
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.comparison.distances.embedding import Coordinates
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arguments.durations import seconds_per_step
from rnnstudy.report.explorer.matrices import (
    NetworkDistances,
    matrix_content,
    nearest_networks,
    network_distances,
)
from rnnstudy.report.explorer.network import network_content, trial_choice
from rnnstudy.report.explorer.overview import (
    columns_content,
    map_content,
    scaled_map,
    task_records,
    unstable_marks,
)
from rnnstudy.report.explorer.packing import Coarse, script_text
from rnnstudy.report.explorer.records import Explorer
from rnnstudy.study.errors import RunError
from rnnstudy.study.results.failures import attempt, words_of
from rnnstudy.study.results.run import Run
from rnnstudy.tasks import Task

DATA = "data"
"""Folder of the data files, beside the page."""

SCRIPT, STYLE = "explorer.js", "explorer.css"
"""Files beside the page."""

SOURCES = Path(__file__).parents[1] / "templates"
"""Folder of script and style in the package."""


def write_explorer(explorer: Explorer, folder: Path) -> list[str]:
    """Write script, style and data, and return a sentence for each part that is missing.

    Parameters
    ----------
    explorer
        The explorer.
    folder
        Folder of the page.
    """
    (folder / SCRIPT).write_text(script_source(), encoding="utf-8")
    (folder / STYLE).write_text((SOURCES / STYLE).read_text(encoding="utf-8"), encoding="utf-8")
    faults: list[str] = []
    for name, content in contents(explorer, faults):
        write_data(folder, name, content)
    return [f"explorer, {fault}" for fault in faults]


def write_data(folder: Path, name: str, content: Any) -> None:
    """Write a data file, which the page loads when it is asked for.

    Parameters
    ----------
    folder
        Folder of the page.
    name
        Name of the file below `data`, without its ending.
    content
        Plain data with arrays.
    """
    path = folder / DATA / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script_text(name, content), encoding="utf-8")


def script_source() -> str:
    """Return the script of the explorer: its parts one after the other, in a scope of their own."""
    parts = sorted((SOURCES / "explorer").glob("*.js"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in parts)
    return f'(() => {{\n"use strict";\n{text}\n}})();\n'


def contents(explorer: Explorer, faults: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield name and content of each data file, the index last.

    Parameters
    ----------
    explorer
        The explorer.
    faults
        List to which a sentence is added for each part that could not be computed.
    """
    run, names = explorer.results, explorer.names
    positions = {name: i for i, name in enumerate(names)}
    maps = _recorded_maps(run, positions)
    near: dict[int, list[Any]] = {i: [] for i in range(len(names))}
    listed = []
    for number, matrix in enumerate(_matrices(run, positions)):
        name = f"matrices/{number}"
        yield name, matrix_content(matrix)
        listed.append({"file": name, **_about(matrix)})
        for position, row in nearest_networks(matrix).items():
            near[position].append(row)
        at = (matrix.title, matrix.task)
        if at not in maps:
            scaled, error = attempt(partial(scaled_map, matrix, names), None)
            faults += [f"map of {matrix.title}: {error}"] if error else []
            maps |= {at: scaled} if scaled else {}
    for position in range(len(names)):
        content, missing = network_content(explorer, position, near[position])
        faults += missing
        yield f"networks/{position}", content
    tasks = [_task(run, task, faults) for task in run.study.tasks]
    for number, task in enumerate(tasks):
        yield f"tasks/{number}", task
    none: list[dict[str, Any]] = []
    columns, error = attempt(lambda: columns_content(run), none)
    faults += [f"table of networks: {error}"] if error else []
    order = [task.title for task in run.study.tasks]
    yield (
        "index",
        {
            "study": run.study.study,
            "networks": list(names),
            "tasks": order,
            "columns": columns,
            "maps": list(maps.values()),
            "matrices": listed,
            "words": _titles_in_words(run),
            "unstable": unstable_marks(),
        },
    )


def _titles_in_words(run: Run) -> dict[str, str]:
    """Return name of an analysis -> its title in words, with the name where titles are equal."""
    words = {analysis.title: words_of(analysis) for analysis in run.study.analyses}
    count = Counter(words.values())
    return {name: text + (f" ({name})" if count[text] > 1 else "") for name, text in words.items()}


def _recorded_maps(run: Run, positions: Mapping[str, int]) -> dict[tuple[str, str], Any]:
    """Return (distances, task) -> map, of the embeddings of the study."""
    of = {each.title: each.of for each in run.study.analyses if isinstance(each, Embedding)}
    maps: dict[tuple[str, str], Any] = {}
    for title, task, record in task_records(run, Coordinates):
        assert isinstance(record, Coordinates)
        name = of.get(title, title)
        at = (title, task) if (name, task) in maps else (name, task)
        if content := map_content(at[0], task, record, positions):
            maps[at] = content
    return maps


def _matrices(run: Run, positions: dict[str, int]) -> Iterator[NetworkDistances]:
    for title, task, record in task_records(run, Distances):
        assert isinstance(record, Distances)
        matrix = network_distances(title, task, record, positions)
        if len(matrix.items) > 1:
            yield matrix


def _about(matrix: NetworkDistances) -> dict[str, Any]:
    return {"title": matrix.title, "task": matrix.task, "count": len(matrix.items)}


def _task(run: Run, task: Task, faults: list[str]) -> dict[str, Any]:
    """Return inputs and targets of the shown trials, which all networks of a task share."""
    none: list[str] = []
    labels, error = attempt(lambda: list(task.static_inputs().labels), none)
    faults += [f"static inputs of {task.title}: {error}"] if error else []
    content: dict[str, Any] = {"title": task.title, "inputs": labels}
    for member in run.index.members:
        if member.fields["task"] != task.title:
            continue
        try:
            activity = run.record("representations", member.name)
        except RunError:
            continue
        if isinstance(activity, Activity):
            trials, step = trial_choice(activity)
            content["trials"] = {
                "trial": trials,
                "step": step,
                "seconds_per_step": seconds_per_step(task),
                "inputs": Coarse(activity.inputs[trials, ::step]),
                "targets": Coarse(activity.targets[trials, ::step]),
            }
            break
    return content
