"""Commented spec to start from, made for one task."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from rnnstudy.cells import CELLS, Cell
from rnnstudy.core.errors import SettingError, suggestion
from rnnstudy.study.errors import RunError
from rnnstudy.tasks import TASKS, Task
from rnnstudy.training.protocol import Training

LINE_LIMIT = 100
"""Longest line, in characters."""

MEMORY_NOISE = 0.05
"""Noise of states that makes networks store words in fixed points instead of in slow drift."""

TASK_ANALYSES = {
    "integration": [
        "  # The line of slow points that holds the sum, and its modes.",
        "  - {kind: line_attractor}",
    ],
    "sine": [
        "  # The cycle that each cue leads to, its frequency, and the fixed points at its centre.",
        "  - {kind: oscillations}",
    ],
}
"""Kind of a task -> analyses that are made for it."""

TASK_CLAIMS = {
    "integration": ["  - {kind: line_attractor}"],
    "sine": ["  - {kind: frequency_follows}"],
}
"""Kind of a task -> claims about its networks."""


def starter_spec(
    name: str,
    task: str = "flip_flop",
    *,
    cells: Sequence[str] = ("gru",),
    activations: Sequence[str] | None = None,
    units: Sequence[int] = (32,),
    seeds: int = 3,
    steps: int | None = None,
) -> str:
    """Return a commented spec of a small study.

    Lines of YAML that are commented out are valid once the `# ` before them is removed.

    Parameters
    ----------
    name
        Name of the study.
    task
        Kind of the task.
    cells
        Kinds of cells.
    activations
        Nonlinearities of the cells. A cell that refuses one of them is written with its own.
        Default: tanh, or that of the cells if none of them takes tanh.
    units
        Numbers of units.
    seeds
        Number of networks that differ in their seed alone.
    steps
        Steps of training. Default: those of the task in the standard protocol.

    Returns
    -------
    str
        Text of the spec.

    Raises
    ------
    RunError
        If the catalogue has no such task or cell, or if the task has required fields.

    Examples
    --------
    >>> from rnnstudy.cli.starter_spec import starter_spec
    >>> starter_spec("memory", units=[16]).splitlines()[4]
    'study: memory'
    """
    for noun, kinds, catalogue in (("task", [task], TASKS), ("cell", cells, CELLS)):
        for kind in kinds:
            if kind not in catalogue:
                known = ", ".join(catalogue)
                hint = suggestion(kind, list(catalogue))
                raise RunError(f"{noun} must be one of {known}, got {kind!r}{hint}")
    required = [name for name, field in TASKS[task].model_fields.items() if field.is_required()]
    if required:
        raise RunError(
            f"task must have defaults for all of its fields, got {task!r}, which needs "
            f"{', '.join(required)}. Begin with another task and change it in the file."
        )
    settings = TASKS[task]()
    if not activations:
        activations = _usual_activations(cells)
    parts = (
        _head(name),
        _tasks(settings),
        _grid(cells, activations, units, seeds),
        _training(settings, steps),
        _analyses(settings),
        _claims(settings, cells, activations),
        _rest(),
    )
    return "\n".join(line for part in parts for line in part)


def _head(name: str) -> list[str]:
    return [
        f"# `rnnstudy check {name}.yaml` shows the plan.",
        f"# `rnnstudy run {name}.yaml` trains, analyses and writes runs/{name}/report/index.html.",
        "# `rnnstudy list` shows what else a spec can name.",
        "# Lines such as `# report:` are settings that are off: remove the `# ` before them.",
        f"study: {name}",
        "",
    ]


def _tasks(task: Task) -> list[str]:
    others = ", ".join(kind for kind in TASKS if kind != task.kind)
    return [
        *_comment(f"The task that the networks learn. Others: {others}."),
        "tasks:",
        f"  - kind: {task.kind}",
        *_fields(task, "    "),
        "",
    ]


def _fields(settings: Task, indent: str) -> Iterator[str]:
    """Yield a line for each field that has a value, with a sentence on it; common fields last."""
    values, fields = settings.model_dump(mode="json"), type(settings).model_fields
    common = [name for name in fields if name in Task.model_fields]
    for name in (*(name for name in fields if name not in common), *common):
        field = fields[name]
        if values.get(name) is None:
            continue
        line = f"{indent}{name}: {_plain(values[name])}"
        if len(line) > LINE_LIMIT and isinstance(values[name], dict):
            inner = [f"{indent}  {key}: {_plain(part)}" for key, part in values[name].items()]
            line = "\n".join([f"{indent}{name}:", *inner])
        yield from _with_comment(line, " ".join((field.description or "").split()), indent)


def _with_comment(line: str, comment: str, indent: str) -> Iterator[str]:
    """Yield a line with its comment, at its end or in lines before it."""
    sentence = comment.partition(". ")[0].rstrip(".")
    if not sentence:
        yield line
    elif "\n" not in line and len(line) + len(sentence) + 4 <= LINE_LIMIT:
        yield f"{line}  # {sentence}"
    else:
        yield from _comment(sentence, indent)
        yield line


def _comment(text: str, indent: str = "") -> list[str]:
    """Return the lines of a comment."""
    width = LINE_LIMIT - len(indent) - 2
    return [f"{indent}# {line}" for line in textwrap.wrap(text, width)]


def _usual_activations(cells: Sequence[str]) -> list[str]:
    """Return the activation of a grid: that of cells in general, else that of the first one."""
    usual = Cell.model_fields["activation"].default
    return [
        usual if any(_accepts(kind, usual) for kind in cells) else _default_activation(cells[0])
    ]


def _accepts(kind: str, activation: str) -> bool:
    """Return whether a cell of the catalogue takes an activation."""
    fields: dict[str, Any] = {"activation": activation}
    try:
        CELLS[kind](**fields)
    except SettingError:
        return False
    return True


def _default_activation(kind: str) -> str:
    return str(CELLS[kind].model_fields["activation"].default)


def _cells(cells: Sequence[str], activations: Sequence[str]) -> list[str]:
    """Return cells as YAML. Those that refuse an activation of the grid have one of their own.

    If all refuse one they are written plainly: the check of the spec says why it is wrong.
    """
    refusing = [kind for kind in cells if not all(_accepts(kind, each) for each in activations)]
    if len(refusing) == len(cells):
        return list(cells)
    return [_with_activation(kind, activations) if kind in refusing else kind for kind in cells]


def _with_activation(kind: str, activations: Sequence[str]) -> str:
    accepted = [each for each in activations if _accepts(kind, each)]
    return f"{{kind: {kind}, activation: {(accepted or [_default_activation(kind)])[0]}}}"


def _grid(
    cells: Sequence[str], activations: Sequence[str], units: Sequence[int], seeds: int
) -> list[str]:
    others = ", ".join(kind for kind in CELLS if kind not in cells)
    return [
        "# The grid: one network for each cell, activation, number of units and seed.",
        "networks:",
        *(_comment(f"Other cells: {others}.", "  ") if others else ()),
        f"  cells: [{', '.join(_cells(cells, activations))}]",
        f"  activations: [{', '.join(activations)}]",
        f"  units: [{', '.join(map(str, units))}]",
        f"  seeds: {seeds}  # the number; with a larger one later, only new networks are trained",
        "",
    ]


def _training(task: Task, steps: int | None) -> list[str]:
    values: dict[str, Any] = {
        name: Training.model_fields[name].default for name in ("steps", "batch", "learning_rate")
    }
    values |= {**task.standard_training, **({} if steps is None else {"steps": steps})}
    if task.words:
        values["state_noise"] = MEMORY_NOISE
    fields = Training.model_fields
    lines = ["# How each network is trained.", "training:"]
    for name, value in values.items():
        description = " ".join((fields[name].description or "").split())
        lines += _with_comment(f"  {name}: {_plain(value)}", description, "  ")
    return [*lines, "# runtime: {workers: 2}  # jobs at a time", ""]


def _analyses(task: Task) -> list[str]:
    lines = [
        "# Analyses of the trained networks. `rnnstudy list` shows which suit this task.",
        "analyses:",
    ]
    if task.kind != "sine":
        lines += [
            "  # Fixed points at each constant input of the task, with their stability.",
            "  - {kind: fixed_points}",
        ]
    lines += [
        "  # Distances between the networks' representations, and a map of the networks.",
        "  - {kind: pairs, metric: {kind: svcca, dimensions: 10}}",
        "  - {kind: embedding, of: svcca}",
    ]
    if task.words:
        lines += [
            "  # Links between fixed points, and distances between these graphs.",
            "  - {kind: topology}",
            "  - {kind: graph_distances, weighted: false}",
        ]
    return [*lines, *TASK_ANALYSES.get(task.kind, []), ""]


def _claims(task: Task, cells: Sequence[str], activations: Sequence[str]) -> list[str]:
    """Return claims that are switched off: their verdicts need more networks than a first study."""
    claims = list(TASK_CLAIMS.get(task.kind, []))
    if task.kind == "flip_flop":
        claims += ["  - {kind: cube}", "  - {kind: cube_graph}"]
    for factor, values in (("cell", cells), ("activation", activations)):
        if len(set(values)) > 1:
            claims.append(f"  - {{kind: geometry_depends_on, factor: {factor}, of: svcca}}")
    if not claims:
        return []
    return [
        "# Claims are tested, and get a verdict. They need some ten networks of each kind.",
        *(f"# {line}" for line in ("claims:", *claims)),
        "",
    ]


def _rest() -> list[str]:
    return [
        "# Keras files of the networks that match, besides the report.",
        '# report: {models: ["*-s000"]}',
        "",
    ]


def _plain(value: Any) -> str:
    """Return a value as YAML on one line."""
    return json.dumps(value, ensure_ascii=False)
