"""Components of a study in sentences: settings, training, analyses and claims."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from rnnstudy.analyses import Analysis
from rnnstudy.analyses.conditions import condition_text
from rnnstudy.claims.base import Claim
from rnnstudy.core.component import Component, Entry, lower_first, summary
from rnnstudy.study.results.claim_texts import texts_of
from rnnstudy.study.results.failures import attempt, words_of
from rnnstudy.tasks import Task
from rnnstudy.training.protocol import Training

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
        return ", ".join(f"{name} {value_in_words(each)}" for name, each in value.items())
    if isinstance(value, tuple | list):
        return " and ".join(map(value_in_words, value))
    return str(value).replace("_", " ")


def training_sentence(training: Training, citation: str = "") -> str:
    """Return a training protocol in words.

    Parameters
    ----------
    training
        The protocol.
    citation
        Citation of the optimiser, after a space. Default: none.

    Examples
    --------
    >>> training_sentence(Training(steps=10)).partition(",")[0]
    'Each network was trained by Adam for 10 steps of 32 trials'
    """
    final = training.learning_rate * training.final_rate
    parts = [
        (
            f"Each network was trained by Adam{citation} for {training.steps} steps of "
            f"{training.batch} trials, with a learning rate that decays exponentially from "
            f"{training.learning_rate:g} to {final:g}, a largest norm of the gradient of "
            f"{training.clip_norm:g} and a penalty of {training.l2:g} on squared weights."
        )
    ]
    if training.rate_l2:
        parts.append(f"A penalty of {training.rate_l2:g} was on the mean squared activity.")
    if training.state_noise:
        parts.append(
            f"Normal noise of standard deviation {training.state_noise:g} was added to the state "
            "at each time step of training."
        )
    start = "was trained, too" if training.train_initial_state else "was zero"
    parts.append(f"The initial state {start}.")
    if training.stop == "solved":
        parts.append("Training ended early once a network had solved its task.")
    if training.retry:
        parts.append(f"A diverged network was trained anew up to {training.retry} times.")
    parts.append(f"Computations of the training were in {training.precision}.")
    return join_sentences(parts)


def method_sentence(analysis: Analysis, titles: Mapping[str, str], citation: str = "") -> str:
    """Return an analysis, the networks that it is about, and its settings, in words.

    Parameters
    ----------
    analysis
        The analysis.
    titles
        Name of an analysis -> its title in words.
    citation
        Citation of its sources, after a space. Default: none.
    """
    read = getattr(analysis, "of", "")
    title = words_of(analysis) + (f" ({lower_first(titles[read])})" if read in titles else "")
    where = condition_text(getattr(analysis, "where", {}))
    about = {"solved": "networks that solved their task", "trained": "all trained networks",
             "all": "all networks"}[analysis.networks]  # fmt: skip
    settings = settings_in_words(analysis)
    return (
        f"{title}{citation}: {lower_first(purpose_in_words(analysis))}, of {about}"
        f"{f' with {where}' if where else ''}." + (f" Settings: {settings}." if settings else "")
    )


def claim_sentence(
    claim: Claim, tasks: Sequence[Task], titles: Mapping[str, str], citation: str = ""
) -> str:
    """Return a claim, its statistic, its null hypothesis and its rule, in words.

    Parameters
    ----------
    claim
        The claim.
    tasks
        Tasks of the study.
    titles
        Name of an analysis -> its title in words.
    citation
        Citation of its sources, after a space. Default: none.
    """
    texts, _ = texts_of(claim)
    applicable = [task for task in tasks if attempt(partial(claim.applies, task), False)[0]]
    statement = ""
    if applicable:
        statement, _ = attempt(lambda: str(claim.statement(applicable[0])), "")
    statement = re.sub(r"\((\w+)\)", lambda m: f"({titles.get(m[1], m[1])})", statement)
    where = condition_text(claim.where)
    permutations = getattr(claim, "permutations", None)
    return join_sentences([
        (f"Claim{f' for networks with {where}' if where else ''}: "
        f"{(statement or words_of(claim)).rstrip('.')}{citation}."),
        f"The statistic is the {texts.statistic.removeprefix('the ')}.",
        f"The null hypothesis is that {texts.null}.",
        f"The rule of the claim: {texts.rule}, and a corrected p below {claim.alpha:g}.",
        f"The test has {permutations} permutations." if permutations else "",
    ])  # fmt: skip
