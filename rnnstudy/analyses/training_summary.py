"""How well networks learnt: shown for every task, whatever else a spec asks for."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.analyses.members import combinations, typical_members
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Panels, Strip, Table

SHOWN_OUTPUTS = 3
"""Output channels drawn per network; more would not be read."""


def performance(section: Section) -> Iterable[Exhibit]:
    """Solved share and loss per combination, training curves, and a trial of typical networks."""
    trained = [member for member in section.members if member.name in section.trained]
    if not trained:
        return
    yield _outcomes(section, trained)
    yield _losses(section, trained)
    grown = [member for member in trained if len(section.trained[member.name].step)]
    if grown:  # of networks that were trained elsewhere there are no curves
        yield _curves(section, grown)
    activities = section.records.get("representations", {})
    shown = [m for m in typical_members(section) if m.name in activities]
    if shown:
        yield _trials(section, shown)


def _outcomes(section: Section, trained: Sequence[Member]) -> Table:
    names = ("combination", "networks", "solved", "diverged", "median loss", "highest loss",
             "median accuracy")  # fmt: skip
    columns: dict[str, list[object]] = {name: [] for name in names}
    for combination, members in combinations(trained).items():
        results = [section.trained[m.name] for m in members]
        losses = np.array([r.evaluation_loss[0] for r in results])
        columns["combination"].append(combination)
        columns["networks"].append(len(results))
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


def _losses(section: Section, trained: Sequence[Member]) -> Strip:
    return Strip(
        title="Loss of every network",
        caption="Mean squared error on the task's fresh trials, one dot per network. Left of the "
        "line the loss is low enough to count as solved.",
        values=np.array([section.trained[m.name].evaluation_loss[0] for m in trained]),
        categories=[m.combination for m in trained],
        labels=[m.name for m in trained],
        value_label="loss",
        log=True,
        limit=section.task.solved_loss,
    )


def _curves(section: Section, trained: Sequence[Member]) -> Curves:
    curves = []
    for combination, members in combinations(trained).items():
        cell, _, activation = combination.partition(" ")
        results = [section.trained[m.name] for m in members]
        losses = _together([r.loss[0] for r in results])
        curves.append(
            Curve(
                x=max((r.step for r in results), key=len),
                y=_over_networks(np.median, losses),
                low=_over_networks(np.min, losses),
                high=_over_networks(np.max, losses),
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


def _together(curves: Sequence[Array]) -> Array:
    """Curves of unequal length as [member, sample], what is missing or infinite as NaN."""
    stack = np.full((len(curves), max(map(len, curves))), np.nan)
    for row, curve in zip(stack, curves, strict=True):
        row[: len(curve)] = np.where(np.isfinite(curve), curve, np.nan)
    return stack


def _over_networks(statistic: Callable[[Array], Array], losses: Array) -> Array:
    """A statistic of the finite losses at each sample; NaN where there is none."""
    found = [column[np.isfinite(column)] for column in losses.T]
    return np.array([statistic(values) if len(values) else np.nan for values in found])


def _trials(section: Section, shown: Sequence[Member]) -> Panels:
    panels = []
    for member in shown:
        activity = section.records["representations"][member.name]
        if isinstance(activity, Activity):
            panels.append(_trial(member, activity))
    return Panels(
        title="A trial of typical networks",
        caption="The first probe trial, by the network of median loss of each combination "
        "(among those that solved the task, if any did): output (solid), target (dashed).",
        exhibits=panels,
    )


def _trial(member: Member, activity: Activity) -> Curves:
    time = np.arange(activity.outputs.shape[1])
    curves = []
    for channel in range(min(activity.outputs.shape[-1], SHOWN_OUTPUTS)):
        panel = f"output {channel + 1}"
        target, output = activity.targets[0, :, channel], activity.outputs[0, :, channel]
        curves += [
            Curve(x=time, y=output, label="output", panel=panel),
            Curve(x=time, y=target, label="target", panel=panel, dashed=True),
        ]
    return Curves(title=member.combination, curves=curves, x_label="time step", y_label="")
