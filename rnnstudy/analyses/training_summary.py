"""Training of the networks of a task: outcomes, losses, curves, and trials of typical networks."""

from collections.abc import Iterable, Sequence

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.analyses.members import (
    Groups,
    Summary,
    median_band,
    members_by_combination,
    summary_by_combination,
    typical_members,
)
from rnnstudy.core.arguments.durations import seconds_per_step
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Panels, Strip, Table
from rnnstudy.tasks import Task
from rnnstudy.training.train import TrainedNetworks

SHOWN_OUTPUTS = 3
"""Output channels drawn per network; more would not be read."""


def performance(section: Section) -> Iterable[Exhibit]:
    """Yield outcomes and losses, training curves, and a trial of typical networks."""
    trained = [member for member in section.members if member.name in section.trained]
    if not trained:
        return
    groups = {
        combination: [section.trained[member.name] for member in members]
        for combination, members in members_by_combination(trained).items()
    }
    yield _outcomes(groups, section.task)
    yield _losses(section, trained)
    if section.task.solved_loss is None:
        yield _accuracies(section, trained)
    # Imported networks have no curves.
    curves = {name: [each for each in group if len(each.step)] for name, group in groups.items()}
    if any(curves.values()):
        yield _curves(section.task, {name: group for name, group in curves.items() if group})
    activities = section.records.get("representations", {})
    typical = [m for m in typical_members(section) if m.name in activities]
    if typical:
        yield _trials(section, typical)


def _outcomes(groups: Groups[TrainedNetworks], task: Task) -> Table:
    columns: dict[str, Summary[TrainedNetworks]] = {
        "networks": len,
        "solved": lambda group: sum(bool(each.solved[0]) for each in group),
        "diverged": lambda group: sum(each.status[0] == "diverged" for each in group),
        "median loss": lambda group: float(np.median(_final_losses(group))),
        "highest loss": lambda group: float(np.max(_final_losses(group))),
        "median accuracy": lambda group: float(
            np.median([float(each.evaluation_accuracy[0]) for each in group])
        ),
    }
    return Table(
        title="Training outcomes",
        caption=f"Evaluated on {task.evaluation_trials} fresh trials without state noise. "
        f"Solved: {solved_criterion(task)}.",
        columns=summary_by_combination(groups, columns, label="combination"),
    )


def solved_criterion(task: Task) -> str:
    """Return the criterion of a solved task in words."""
    bounds = []
    if task.solved_loss is not None:
        bounds.append(f"loss ({task.loss.title}) below {task.solved_loss:g}")
    if task.solved_accuracy or not bounds:
        title = "accuracy" if bounds else task.loss.accuracy_title
        bounds.append(f"{title} above {task.solved_accuracy:g}")
    return " and ".join(bounds)


def _final_losses(group: Sequence[TrainedNetworks]) -> list[float]:
    return [each.evaluation_loss[0] for each in group]


def _losses(section: Section, trained: Sequence[Member]) -> Strip:
    limit = " Left of the line the loss is low enough to count as solved."
    if section.task.solved_loss is None:
        limit = ""
    return Strip(
        title="Loss of every network",
        caption=f"{section.task.loss.title.capitalize()} on the task's fresh trials, one dot per "
        f"network.{limit}",
        values=np.array([section.trained[m.name].evaluation_loss[0] for m in trained]),
        categories=[m.combination for m in trained],
        labels=[m.name for m in trained],
        value_label="loss",
        finding=_performance_sentence(section, trained),
        log=True,
        limit=section.task.solved_loss,
    )


def _performance_sentence(section: Section, trained: Sequence[Member]) -> str:
    results = [section.trained[member.name] for member in trained]
    losses = np.array(_final_losses(results))
    return (
        f"{sum(bool(each.solved[0]) for each in results)} of {len(results)} networks solve the "
        f"task, with a median loss of {np.median(losses):.2g} and a highest loss of "
        f"{losses.max():.2g}."
    )


def _accuracies(section: Section, trained: Sequence[Member]) -> Strip:
    title = section.task.loss.accuracy_title.capitalize()
    return Strip(
        title="Accuracy of every network",
        caption=f"{title} on the task's fresh trials, one dot per network. Right of the line a "
        "network counts as solved.",
        values=np.array([section.trained[m.name].evaluation_accuracy[0] for m in trained]),
        categories=[m.combination for m in trained],
        labels=[m.name for m in trained],
        value_label="accuracy",
        limit=section.task.solved_accuracy,
    )


def _curves(task: Task, groups: Groups[TrainedNetworks]) -> Curves:
    return Curves(
        title="Training curves",
        caption=f"{task.loss.title.capitalize()} on training batches, without state noise: "
        "median over networks, band from the lowest to the highest.",
        curves=median_band(
            groups,
            lambda each: each.loss[0],
            positions=lambda group: max((each.step for each in group), key=len),
            quantiles=(0.0, 1.0),
        ),
        x_label="training step",
        y_label="loss",
        log_y=True,
    )


def _trials(section: Section, members: Sequence[Member]) -> Panels:
    panels = []
    for member in members:
        activity = section.records["representations"][member.name]
        if isinstance(activity, Activity):
            panels.append(_trial(section.task, member, activity))
    return Panels(
        title="A trial of typical networks",
        caption="The first probe trial, by the network of median loss of each combination "
        "(among those that solved the task, if any did): "
        f"{section.task.loss.display_title} (solid), target (dashed).",
        exhibits=panels,
    )


def _trial(task: Task, member: Member, activity: Activity) -> Curves:
    dt, outputs = seconds_per_step(task), task.loss.display(activity.outputs[0])
    time = np.arange(activity.outputs.shape[1]) * (1 if dt is None else dt)
    curves = []
    for channel in range(min(activity.outputs.shape[-1], SHOWN_OUTPUTS)):
        panel = f"output {channel + 1}"
        target, output = activity.targets[0, :, channel], outputs[:, channel]
        curves += [
            Curve(x=time, y=output, label="output", panel=panel),
            Curve(x=time, y=target, label="target", panel=panel, dashed=True),
        ]
    label = "time step" if dt is None else "time (s)"
    return Curves(
        title=member.combination, caption=member.name, curves=curves, x_label=label, y_label=""
    )
