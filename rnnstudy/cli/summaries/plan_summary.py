"""Summary of a plan in the terminal: networks, results in the store, and cost of the rest."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from rnnstudy.analyses.base import Cost
from rnnstudy.study.plan.job import Job, count_label
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.plan.train import total_flops
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.spec.options import BatchCluster
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.spec.study import Study
from rnnstudy.training.cost import core_hours, parameters


def show_plan(study: Study, plan: Plan, console: Console) -> None:
    """Print the networks of a study, the results in its store, and the cost of the rest."""
    tasks = ", ".join(task.title for task in study.tasks)
    _say(console, f"{study.study}: {len(plan.networks)} networks on {tasks}")
    console.print(_networks(plan))
    if repeated := _repeated_networks(plan):
        _say(
            console,
            f"{count_label(repeated, 'network')} of two names or more, since protocols do not "
            "differ for them: claims about several protocols count them more than once",
        )
    for name, done, total in plan.done:
        _say(console, f"{name}: {done} of {total} done")
    for line in (*_cluster(study), *_training(study, plan)):
        _say(console, line)
    costs = plan.costs()
    if costs:
        console.print(_cost_table(costs, plan.memory()))


def _repeated_networks(plan: Plan) -> int:
    """Return the number of networks that have several names in one task."""
    names = Counter(
        (network.task.title, network.key())
        for network in plan.networks
        if not isinstance(network, PendingNetwork)
    )
    return sum(count > 1 for count in names.values())


def _networks(plan: Plan) -> Table:
    names = ["task", "cell", "activation", "units"]
    names += ["protocol"] * any("protocol" in member.fields for member in plan.members)
    table = _table(*names, "networks", "parameters each", labels=2)
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, member in enumerate(plan.members):
        fields = (str(member.fields.get(name, "")) for name in names)
        groups.setdefault(tuple(fields), []).append(i)
    for values, positions in groups.items():
        network = plan.networks[positions[0]]
        count = ""
        if isinstance(network, TrainedNetworkSpec):
            count = f"{parameters(network.cell, network.task):,}"
        table.add_row(*values, str(len(positions)), count)
    return table


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


def _cost_table(costs: dict[str, Cost], memory: dict[str, int]) -> Table:
    """Return a table of the work of each kind of job, the bytes of its results, and its memory."""
    table = _table("ahead", "work", "to store", "memory of a job", labels=2)
    for name, cost in costs.items():
        work = ", ".join(f"{count:,} {unit}" for unit, count in cost.work.items())
        size = memory.get(name, 0)
        table.add_row(name, work, _bytes(cost.bytes), _bytes(size) if size else "")
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


def _table(*headings: str, labels: int) -> Table:
    table = Table(box=None, pad_edge=False)
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="left" if i < labels else "right")
    return table


def _say(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True)
