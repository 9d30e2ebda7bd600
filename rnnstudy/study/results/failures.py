"""Failed jobs in the provenance of a run, and calls of users' code that may fail."""

import logging
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from rnnstudy.core.component import Entry, kind_in_words
from rnnstudy.core.storage.errors import NewerRecord, UnreadableRecord
from rnnstudy.study.errors import located_sentence
from rnnstudy.study.execution.signals import is_interruption
from rnnstudy.study.execution.worker import JobResult
from rnnstudy.tasks import Task

T = TypeVar("T")

logger = logging.getLogger("rnnstudy")


class Failure(NamedTuple):
    """A job that failed."""

    kind: str
    """`train`, `select`, or the name of an analysis or claim."""
    task: str
    """Name of the task; empty if it is unknown."""
    members: tuple[str, ...]
    """Networks of the job; empty for all networks of the task."""
    label: str
    """The job in words."""
    reason: str
    """One sentence."""
    scope: str = ""
    """Condition on the networks of a claim that the job serves; empty for all networks."""


def failure_entries(results: Iterable[JobResult]) -> list[dict[str, Any]]:
    """Return the failed jobs among results, as the provenance holds them."""
    return [
        {**result.key._asdict(), "label": result.label, "reason": result.failure}
        for result in results
        if result.failure
    ]


def failures_of(provenance: Mapping[str, Any]) -> list[Failure]:
    """Return the failed jobs of a provenance. An earlier version wrote label -> reason."""
    entries = provenance.get("failures", [])
    if isinstance(entries, Mapping):
        return [Failure("", "", (), label, reason) for label, reason in entries.items()]
    return [Failure(**{**entry, "members": tuple(entry["members"])}) for entry in entries]


def attempt(compute: Callable[[], T], default: T) -> tuple[T, str]:
    """Return the result of code that may be a user's, or a default and the error in one sentence.

    The sentence ends with file and line of the user's code that led to it. Any exception costs this
    result alone, SystemExit as well. A signal is raised, and so is an error of records that may be
    whole, because a report without them would be wrong.

    Parameters
    ----------
    compute
        Function without arguments.
    default
        Result if it raises.

    Examples
    --------
    >>> from rnnstudy.study.results.failures import attempt
    >>> attempt(lambda: 1 / 0, 0)
    (0, 'ZeroDivisionError: division by zero')
    """
    try:
        return compute(), ""
    except BaseException as error:
        if is_interruption(error) or isinstance(error, UnreadableRecord | NewerRecord):
            raise
        logger.debug("%s", traceback.format_exc())
        return default, located_sentence(error)


def words_of(entry: Entry) -> str:
    """Return the title of an analysis, a claim or a task in words; its kind if that raises.

    `words_fault` says why it raises.
    """
    words, _ = attempt(lambda: str(entry.title_in_words), "")
    return words or kind_in_words(entry.kind)


def words_fault(entry: Entry) -> str:
    """Return why an entry has no title in words, in one sentence; empty if it has one."""
    _, error = attempt(lambda: str(entry.title_in_words), "")
    return f"its title in words raises {error}" if error else ""


def task_in_words(task: Task) -> str:
    """Return the title of a task in words, with its name if the spec gives it one.

    Two variants of one task may have equal words.
    """
    return words_of(task) + (f" ({task.name})" if task.name else "")


def collect(items: Callable[[], Iterable[T]]) -> tuple[list[T], str]:
    """Return the items that a user's code yields, up to an error, and the error in one sentence.

    Parameters
    ----------
    items
        Function that returns the items.

    Examples
    --------
    >>> from rnnstudy.study.results.failures import collect
    >>> collect(lambda: (10 // n for n in (5, 2, 0)))
    ([2, 5], 'ZeroDivisionError: integer division or modulo by zero')
    """
    collected: list[T] = []
    _, error = attempt(lambda: collected.extend(items()), None)
    return collected, error
