"""The first sentence of a page: which networks there are, and in what they differ."""

from collections import Counter
from collections.abc import Sequence

from rnnstudy.analyses.base import Member
from rnnstudy.core.component import join_words, lower_first
from rnnstudy.report.methods.sentences import value_in_words
from rnnstudy.study.plan.job import count_label
from rnnstudy.study.results.failures import task_in_words
from rnnstudy.tasks import Task


def networks_sentence(members: Sequence[Member], tasks: Sequence[Task]) -> str:
    """Return the number of networks on each task, and the fields in which they differ.

    Parameters
    ----------
    members
        The networks. Imported ones have no seed.
    tasks
        Tasks of the study.

    Examples
    --------
    >>> from rnnstudy.tasks import FlipFlop
    >>> members = [Member(cell, {"task": "flip_flop", "cell": cell, "seed": 0}) for cell in "ab"]
    >>> networks_sentence(members, [FlipFlop()])
    '2 networks on 3-bit flip-flop memory, differing in cell (a, b).'
    """
    imported = sum(member.fields["seed"] is None for member in members)
    among = "" if imported == len(members) else f" {imported} of them"
    differing = differences_in_words(members)
    parts = [
        f"{count_label(len(members), 'network')} on {_tasks_in_words(members, tasks)}",
        f"{among} read from files" if imported else "",
        f" differing in {join_words(differing)}" if differing else "",
    ]
    return f"{','.join(filter(None, parts))}."


def _tasks_in_words(members: Sequence[Member], tasks: Sequence[Task]) -> str:
    """Return the tasks, and the number of networks on each if there are several."""
    sizes = Counter(member.fields["task"] for member in members)
    words = {task.title: lower_first(task_in_words(task)) for task in tasks}
    if len(tasks) == 1:
        return words[tasks[0].title]
    if len({sizes[title] for title in words}) == 1:
        return f"{join_words(list(words.values()))} ({sizes[tasks[0].title]} on each)"
    return join_words([f"{text} ({sizes[title]})" for title, text in words.items()])


def differences_in_words(members: Sequence[Member]) -> list[str]:
    """Return the fields in which networks differ, with their values, and their seeds at last.

    Parameters
    ----------
    members
        The networks.
    """
    differing = []
    for name in dict.fromkeys(name for member in members for name in member.fields):
        values = dict.fromkeys(value_in_words(member.fields[name]) for member in members
                               if member.fields.get(name) is not None)  # fmt: skip
        if name not in ("task", "seed") and len(values) > 1:
            differing.append(f"{name.replace('_', ' ')} ({', '.join(values)})")
    seeds = {member.fields["seed"] for member in members} - {None}
    return [*differing, *(["their seeds"] if len(seeds) > 1 else [])]
