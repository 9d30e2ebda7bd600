"""How well networks learnt: shown for every task, whatever else a spec asks for."""

from collections.abc import Iterable, Sequence

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.representations import Activity
from rnnstudy.exhibit import Curve, Curves, Exhibit, Table

SHOWN_OUTPUTS = 3
"""Output channels drawn per network; more would not be read."""


def performance(section: Section) -> Iterable[Exhibit]:
    """Solved share and loss per combination, training curves, and a trial of typical networks."""
    trained = [member for member in section.members if member.name in section.trained]
    if not trained:
        return
    yield _outcomes(section, trained)
    yield _curves(section, trained)
    activities = section.records.get("representations", {})
    shown = [m for m in typical_members(section) if m.name in activities]
    if shown:
        yield _trials(section, shown)


def combinations(members: Sequence[Member]) -> dict[str, list[Member]]:
    """Members by cell and activation, in the order of the grid."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.combination, []).append(member)
    return groups


def typical_members(section: Section) -> list[Member]:
    """Of each combination, the solved network of median loss (any trained one if none is)."""
    found = []
    for members in combinations(section.members).values():
        trained = [m for m in members if m.name in section.trained]
        usable = [m for m in trained if section.trained[m.name].status[0] == "trained"]
        solved = [m for m in usable if section.trained[m.name].solved[0]]
        ranked = sorted(solved or usable, key=lambda m: section.trained[m.name].evaluation_loss[0])
        if ranked:
            found.append(ranked[(len(ranked) - 1) // 2])
    return found


def _outcomes(section: Section, trained: Sequence[Member]) -> Table:
    columns: dict[str, list[object]] = {
        name: []
        for name in ("networks", "networks trained", "solved", "diverged", "median loss",
                     "highest loss", "median accuracy")
    }  # fmt: skip
    for combination, members in combinations(trained).items():
        results = [section.trained[m.name] for m in members]
        losses = np.array([r.evaluation_loss[0] for r in results])
        columns["networks"].append(combination)
        columns["networks trained"].append(len(results))
        columns["solved"].append(sum(bool(r.solved[0]) for r in results))
        columns["diverged"].append(sum(r.status[0] == "diverged" for r in results))
        columns["median loss"].append(float(np.median(losses)))
        columns["highest loss"].append(float(np.max(losses)))
        accuracy = [float(r.evaluation_accuracy[0]) for r in results]
        columns["median accuracy"].append(float(np.median(accuracy)))
    return Table(
        title="Training outcomes",
        caption=f"Judged on {section.task.evaluation_trials} fresh trials without noise. Solved: "
        f"loss (mean squared error) below {section.task.solved_loss:g}"
        + (f" and accuracy above {section.task.solved_accuracy:g}." if section.task.solved_accuracy
           else "."),
        columns=columns,
    )  # fmt: skip


def _curves(section: Section, trained: Sequence[Member]) -> Curves:
    curves = []
    for combination, members in combinations(trained).items():
        cell, _, activation = combination.partition(" ")
        results = [section.trained[m.name] for m in members]
        shortest = min(len(r.step) for r in results)
        losses = np.stack([r.loss[0, :shortest] for r in results])
        losses = np.where(np.isfinite(losses), losses, np.nan)
        curves.append(
            Curve(
                x=results[0].step[:shortest],
                y=np.nanmedian(losses, axis=0),
                low=np.nanmin(losses, axis=0),
                high=np.nanmax(losses, axis=0),
                label=cell,
                panel=activation,
            )
        )
    return Curves(
        title="Training curves",
        caption="Mean squared error on training batches, without state noise: median over "
        "networks, band from the lowest to the highest.",
        curves=curves,
        x_label="training step",
        y_label="loss",
        log_y=True,
    )


def _trials(section: Section, shown: Sequence[Member]) -> Curves:
    curves = []
    for member in shown:
        activity = section.records["representations"][member.name]
        if not isinstance(activity, Activity):
            continue
        trial = _typical_trial(activity)
        for channel in range(min(activity.outputs.shape[-1], SHOWN_OUTPUTS)):
            time = np.arange(activity.outputs.shape[1])
            label = f"output {channel + 1}"
            target, output = (
                activity.targets[trial, :, channel],
                activity.outputs[trial, :, channel],
            )
            curves += [
                Curve(x=time, y=output, label=label, panel=member.combination),
                Curve(x=time, y=target, label="target", panel=member.combination, dashed=True),
            ]
    return Curves(
        title="A trial of typical networks",
        caption="One probe trial of the network of median loss of each combination: output (solid) "
        "and target (dashed).",
        curves=curves,
        x_label="time step",
        y_label="output",
    )


def _typical_trial(activity: Activity) -> int:
    """The trial of median error."""
    error = np.mean((activity.outputs - activity.targets) ** 2, axis=(1, 2))
    return int(np.argsort(error)[len(error) // 2])
