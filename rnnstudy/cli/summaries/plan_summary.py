"""Summary of a plan in the terminal: networks, results in the store, and cost of the rest."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from rich.table import Table

from rnnstudy.analyses.base import Cost
from rnnstudy.cli.terminal import SafeConsole, make_table
from rnnstudy.study.plan.job import Job, count_label
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.plan.train import total_flops
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.options import BatchCluster
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.spec.study import Study
from rnnstudy.training.cost import core_hours, parameters

LINES = 12
"""Lines of each part of a plan that are shown at most: networks, results, and cost."""

Counts = Sequence[tuple[str, int, int]]
"""Name of a kind of job, number of its results in the store, and number in all."""


def show_plan(study: Study, plan: Plan, console: SafeConsole, *, whole: bool = False) -> None:
    """Print the networks of a study, the results in its store, and the cost of the rest.

    Parameters
    ----------
    study
        The study.
    plan
        Its plan.
    console
        The console.
    whole
        If true, all kinds of jobs are named. Default: the most important ones, and the others are
        counted.
    """
    tasks = ", ".join(task.title for task in study.tasks)
    console.say(f"{study.study}: {len(plan.networks)} networks on {tasks}")
    console.print_table(_networks(plan, whole))
    if repeated := repeated_networks(plan):
        console.say(
            f"{count_label(repeated, 'network')} of two names or more, since protocols do not "
            "differ for them: claims about several protocols count them more than once",
        )
    names = important_kinds(study, plan.done, None if whole else LINES)
    for line in (*_progress(plan.done, names), *_cluster(study), *_training(study, plan)):
        console.say(line)
    if costs := plan.costs():
        console.print_table(_cost_table(costs, plan.memory(), names))


def important_kinds(study: Study, done: Counts, limit: int | None) -> list[str]:
    """Return the kinds of jobs that are named, in the order of the plan.

    Training, selection and claims come first, then the analyses of the spec. If there are too many
    of them, the first ones are named. Controls and tiles of matrices are named if there is room.

    Parameters
    ----------
    study
        The study.
    done
        Counts of each kind.
    limit
        Number of lines at most; None for all. One line is kept for the kinds that are not named.

    Examples
    --------
    >>> from rnnstudy import load_study
    >>> spec = {"study": "a", "tasks": ["sine"], "networks": {"cells": "gru"}}
    >>> done = [("tiles", 0, 1), ("train", 0, 3), ("more tiles", 0, 1)]
    >>> important_kinds(load_study(spec), done, 2)
    ['train']
    """
    kinds = [kind for kind, _, _ in done]
    if limit is None or len(kinds) <= limit:
        return kinds
    first = ("pilots", "selection", "train", "read", "claims")
    listed = {analysis.title for analysis in study.analyses}
    # One line is for the others. `sorted` keeps the order of the plan among equals.
    ranks = {kind: 0 if kind in first else 1 if kind in listed else 2 for kind in kinds}
    chosen = sorted(kinds, key=ranks.__getitem__)[: limit - 1]
    return [kind for kind in kinds if kind in chosen]


def _progress(done: Counts, names: Sequence[str]) -> list[str]:
    """Return a line for each of some kinds of jobs, and one for the others."""
    lines = [f"{name}: {ready} of {total} done" for name, ready, total in done if name in names]
    others = [count for count in done if count[0] not in names]
    if others:
        ready, total = sum(count[1] for count in others), sum(count[2] for count in others)
        kinds = count_label(len(others), "more kind")
        lines.append(f"and {kinds} of results: {ready} of {total} done (-v names them)")
    return lines


def repeated_networks(plan: Plan) -> int:
    """Return the number of networks that have several names in one task."""
    names = Counter(
        (network.task.title, network.key())
        for network in plan.networks
        if not isinstance(network, PendingNetwork)
    )
    return sum(count > 1 for count in names.values())


class NetworkGroup(NamedTuple):
    """Networks of a plan that differ in their seeds alone."""

    fields: dict[str, str]
    """Task, cell, activation, units and, if there are several, protocol."""
    networks: int
    """Number of networks."""
    parameters: int | None
    """Trained parameters of each; None if they are not known before."""


def network_groups(plan: Plan) -> list[NetworkGroup]:
    """Return the networks of a plan, grouped by all that is no seed.

    Parameters
    ----------
    plan
        The plan.
    """
    names = ["task", "cell", "activation", "units"]
    names += ["protocol"] * any("protocol" in member.fields for member in plan.members)
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, member in enumerate(plan.members):
        fields = (str(member.fields.get(name, "")) for name in names)
        groups.setdefault(tuple(fields), []).append(i)
    return [
        NetworkGroup(
            dict(zip(names, values, strict=True)), len(at), _parameters(plan.networks[at[0]])
        )
        for values, at in groups.items()
    ]


def _parameters(network: NetworkSpec) -> int | None:
    if not isinstance(network, TrainedNetworkSpec):
        return None
    return parameters(network.cell, network.task)


Row = tuple[Mapping[str, str], int, str]
"""Fields of networks, their number, and the number of their parameters."""


def _networks(plan: Plan, whole: bool) -> Table:
    """Return a table of the networks. If it is too long, a row is a task and a cell."""
    groups = network_groups(plan)
    if len(groups) > LINES and not whole:
        rows = _join_groups(groups)
    else:
        rows = [(fields, count, _range([size])) for fields, count, size in groups]
    names = [*rows[0][0]] if rows else ["task"]
    table = make_table(*names, "networks", "parameters each", labels=len(names))
    for fields, count, sizes in rows:
        table.add_row(*fields.values(), str(count), sizes)
    return table


def _join_groups(groups: Sequence[NetworkGroup]) -> list[Row]:
    """Return one row for each task and cell, with all values of the other fields in it."""
    rows: dict[tuple[str, str], list[NetworkGroup]] = {}
    for group in groups:
        rows.setdefault((group.fields["task"], group.fields["cell"]), []).append(group)
    return [
        (
            {name: ", ".join(dict.fromkeys(g.fields[name] for g in row)) for name in row[0].fields},
            sum(group.networks for group in row),
            _range([group.parameters for group in row]),
        )
        for row in rows.values()
    ]


def _range(sizes: Sequence[int | None]) -> str:
    known = [size for size in sizes if size is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _cluster(study: Study) -> list[str]:
    """Return a line about the cluster of a study, if there is one."""
    cluster = study.runtime.cluster
    if isinstance(cluster, BatchCluster):
        gpus = f" and {count_label(cluster.gpus, 'GPU')}" if cluster.gpus else ""
        workers, cores = count_label(cluster.workers, "worker"), count_label(cluster.cores, "core")
        size = f"{cores}, {cluster.memory:g} GiB{gpus} each"
        return [f"on {cluster.kind}: up to {workers} with {size}"]
    return [] if cluster is None else [f"on the cluster {cluster}"]


def _training(study: Study, plan: Plan) -> list[str]:
    lines = []
    if plan.cohorts:
        noun = "pilot" if plan.selecting else "network"
        lines.append(f"to train: {_size(plan.cohorts, noun)}")
    if study.selection is not None and plan.waiting:
        fields = " and ".join(study.selection.grid)
        be = "is" if len(study.selection.grid) == 1 else "are"
        lines.append(
            f"to train once {fields} {be} chosen: {_size(plan.waiting, 'network')}; "
            "their addresses are not known before"
        )
    return lines


def _size(cohorts: Sequence[Job], noun: str) -> str:
    networks, work = sum(len(job.trains) for job in cohorts), total_flops(cohorts)
    memory = max(job.memory for job in cohorts)
    return (
        f"{count_label(networks, noun)} in {count_label(len(cohorts), 'cohort')}, "
        f"{work:.2g} floating-point operations (some {_hours(core_hours(work))} of a CPU core), "
        f"up to {memory / 2**20:.0f} MiB per cohort"
    )


def _cost_table(
    costs: Mapping[str, Cost], memory: Mapping[str, int], names: Collection[str]
) -> Table:
    """Return a table of the work of each kind of job, the bytes of its results, and its memory.

    Kinds that are not among `names` have one row together.
    """
    table = make_table("ahead", "work", "to store", "memory of a job", labels=2)
    for name, cost in costs.items():
        if name in names:
            work = ", ".join(f"{count:,} {unit}" for unit, count in cost.work.items())
            size = memory.get(name, 0)
            table.add_row(name, work, _bytes(cost.bytes), _bytes(size) if size else "")
    if others := [name for name in costs if name not in names]:
        stored = sum(costs[name].bytes for name in others)
        size = max(memory.get(name, 0) for name in others)
        kinds = count_label(len(others), "more kind")
        table.add_row(kinds, "", _bytes(stored), _bytes(size) if size else "")
    table.add_row("in all", "", _bytes(sum(cost.bytes for cost in costs.values())), "")
    return table


def _hours(hours: float) -> str:
    return (
        f"{hours:,.0f} hours" if hours >= 10 else count_label(max(1, round(60 * hours)), "minute")
    )


def _bytes(count: float) -> str:
    """Return bytes in the largest unit that gives ten or more: `21 MiB`."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 10 * 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.0f} GiB"
