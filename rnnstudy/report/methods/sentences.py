"""Components of a study in sentences: settings, analyses and claims."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnnstudy.analyses import Analysis
from rnnstudy.analyses.base import of_weights
from rnnstudy.analyses.conditions import condition_text
from rnnstudy.claims.base import Claim
from rnnstudy.core.component import Component, Entry, lower_first, summary
from rnnstudy.study.results.claim_texts import texts_of
from rnnstudy.study.results.failures import attempt, words_of
from rnnstudy.tasks import Task

UNSAID = frozenset({"name", "tasks", "where", "networks", "of", "weights", "activation", "units"})
"""Fields that sentences name in other words."""


def join_sentences(sentences: Iterable[str]) -> str:
    """Return sentences that are not empty, one after the other."""
    return " ".join(filter(None, sentences))


def purpose_in_words(component: Component) -> str:
    """Return the first paragraph of the docstring of a class, without the final full stop."""
    text = summary(inspect.cleandoc(type(component).__doc__ or "")).split("\n\n")[0]
    return " ".join(text.split()).replace("`", "").rstrip(".")


def settings_in_words(component: Component, unsaid: Iterable[str] = UNSAID) -> str:
    """Return the fields of a component and their values, as a list in words.

    Parameters
    ----------
    component
        The component.
    unsaid
        Fields that are left out. Default: those that other sentences name.

    Examples
    --------
    >>> from rnnstudy.metrics import CKA
    >>> settings_in_words(CKA())
    'debiased no'
    """
    hidden = {*unsaid, *type(component).labels}
    fields = {name: getattr(component, name) for name in type(component).model_fields}
    return ", ".join(
        f"{name.replace('_', ' ')} {value_in_words(value)}"
        for name, value in fields.items()
        if name not in hidden and value is not None and value not in ({}, ())
    )


def value_in_words(value: Any) -> str:
    """Return the value of a field in words."""
    if isinstance(value, Component):
        title = words_of(value) if isinstance(value, Entry) else ""
        inner = settings_in_words(value)
        return f"{lower_first(title)} ({inner})".strip() if inner else lower_first(title)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name.replace('_', ' ')} {value_in_words(each)}" for name, each in value.items()
        )
    if isinstance(value, tuple | list):
        return " and ".join(map(value_in_words, value))
    return str(value).replace("_", " ")


def condition_in_words(where: Mapping[str, Any]) -> str:
    """Return a condition on fields of networks in words; empty for none."""
    return condition_text(where).replace("_", " ")


NETWORKS_IN_WORDS = {
    "solved": "networks that solved their task",
    "trained": "all trained networks",
    "all": "all networks",
}
"""Field `networks` of an analysis -> the networks that it is about."""

WEIGHTS_IN_WORDS = {
    "trained": "",
    "untrained": ", with their weights before training",
    "standard": ", with weights from the initialisers of the standard protocol",
}
"""Field `weights` of an analysis -> the weights, after the networks that have them."""


def networks_in_words(analysis: Analysis, tasks: Sequence[Task], every: int) -> str:
    """Return the networks that an analysis or a claim is about, in words.

    Parameters
    ----------
    analysis
        The analysis.
    tasks
        Tasks to which it applies.
    every
        Number of tasks of the study.
    """
    where = condition_in_words(getattr(analysis, "where", {}))
    titles = " and ".join(lower_first(words_of(task)) for task in tasks)
    return (
        NETWORKS_IN_WORDS[analysis.networks]
        + (f" with {where}" if where else "")
        + WEIGHTS_IN_WORDS[getattr(analysis, "weights", "trained")]
        + (f", on {titles} alone" if tasks and len(tasks) < every else "")
    )


def title_in_words(analysis: Analysis) -> str:
    """Return the title of an analysis, which says whether its networks are untrained."""
    words, weights = words_of(analysis), of_weights(getattr(analysis, "weights", "trained"))
    return words if words.endswith(weights) else words + weights


def method_sentence(
    analysis: Analysis, networks: str, titles: Mapping[str, str], citation: str = ""
) -> str:
    """Return an analysis, the networks that it is about, and its settings, in words.

    Parameters
    ----------
    analysis
        The analysis.
    networks
        The networks in words.
    titles
        Name of an analysis -> its title in words.
    citation
        Citation of its sources, after a space. Default: none.
    """
    read = getattr(analysis, "of", "")
    of = f" ({lower_first(titles[read])})" if read in titles else ""
    settings = settings_in_words(analysis)
    return (
        f"{title_in_words(analysis)}{of}{citation}: {lower_first(purpose_in_words(analysis))}, "
        f"of {networks}." + (f" Settings: {settings}." if settings else "")
    )


def claim_sentence(
    claim: Claim,
    networks: str,
    tasks: Sequence[Task],
    titles: Mapping[str, str],
    citation: str = "",
) -> str:
    """Return a claim, its statistic, its null hypothesis and its rule, in words.

    Parameters
    ----------
    claim
        The claim.
    networks
        The networks that it is about, in words.
    tasks
        Tasks to which it applies.
    titles
        Name of an analysis -> its title in words.
    citation
        Citation of its sources, after a space. Default: none.
    """
    texts, _ = texts_of(claim)
    statement = ""
    if tasks:
        statement, _ = attempt(lambda: str(claim.statement(tasks[0])), "")
    statement = re.sub(r"\((\w+)\)", lambda m: f"({titles.get(m[1], m[1])})", statement)
    permutations = getattr(claim, "permutations", None)
    return join_sentences([
        (f"Claim about {networks}: {(statement or words_of(claim)).rstrip('.')}{citation}."),
        f"The statistic is the {texts.statistic.removeprefix('the ')}.",
        f"The null hypothesis is that {texts.null}.",
        f"The rule of the claim: {texts.rule}, and a corrected p below {claim.alpha:g}.",
        f"The test has {permutations} permutations." if permutations else "",
    ])  # fmt: skip
