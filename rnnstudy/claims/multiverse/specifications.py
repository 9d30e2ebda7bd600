"""Specifications of a multiverse: all combinations of choices, each a claim about some networks."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from rnnstudy.analyses import Analysis
from rnnstudy.claims.base import Claim
from rnnstudy.core.component import Component

Choices = Mapping[str, tuple[Any, ...]]
"""Name of a choice -> its values."""

MATCHED = "matched"
"""Choice between all networks and those matched by loss."""

WHERE = "where."
"""Beginning of the names of choices between networks."""


@dataclass(frozen=True)
class Specification:
    """One combination of choices."""

    choices: Mapping[str, Any]
    """Choice -> value; without those that do not apply."""
    claim: Claim
    """Claim with its fields and the names of the analyses that it reads."""
    where: Mapping[str, Any] = field(default_factory=dict)
    """Field of the networks -> value, of the networks that it is about."""
    matched: bool = False
    """Is true for networks matched by loss."""


def specifications(claim: Claim, choices: Choices) -> Iterator[Specification]:
    """Yield all combinations of choices, the last choice innermost.

    A choice of an analysis applies to specifications whose claim reads that analysis.
    """
    common = {name: values for name, values in choices.items() if not _analysis_of(name, claim)}
    for values in product(*common.values()):
        picks = dict(zip(common, values, strict=True))
        fields = {n: v for n, v in picks.items() if n in type(claim).model_fields}
        where = {n.removeprefix(WHERE): v for n, v in picks.items() if n.startswith(WHERE)}
        variant = claim.replace(**fields)
        for settings in _settings(variant, choices):
            renamed = {
                name: derived_title(need, _of_analysis(settings, need))
                for name, need in _need_fields(variant).items()
                if _of_analysis(settings, need)
            }
            yield Specification(
                choices={**picks, **settings},
                claim=variant.replace(**renamed),
                where=where,
                matched=bool(picks.get(MATCHED, False)),
            )


def derived_analyses(
    claim: Claim, choices: Choices, analyses: Sequence[Analysis]
) -> Iterator[Analysis]:
    """Yield the analyses that specifications read beside those of a spec.

    Raises ValueError if an analysis is not listed, or does not have a field.
    """
    by_title = {analysis.title: analysis for analysis in analyses}
    names = dict.fromkeys(n.split(".")[0] for n in choices if _analysis_of(n, claim))
    for title in names:
        if title not in by_title:
            raise ValueError(
                f"choices must be about analyses of the spec, got {title!r}. Add it to analyses."
            )
        paths = {n: values for n, values in choices.items() if n.startswith(f"{title}.")}
        for values in product(*paths.values()):
            settings = dict(zip(paths, values, strict=True))
            changed = by_title[title]
            for path, value in settings.items():
                changed = _with_value(changed, path.split(".")[1:], value, path)
            yield changed.replace(name=derived_title(title, settings))


def derived_title(title: str, settings: Mapping[str, Any]) -> str:
    """Return the name of an analysis with other settings: `svcca_dimensions_5`."""
    parts = [f"{path.rpartition('.')[2]}_{value}" for path, value in settings.items()]
    return re.sub(r"\W", "_", "_".join([title, *parts]))


def choice_errors(claim: Claim, choices: Choices) -> Iterator[str]:
    """Yield the errors of choices: unknown names, and lists without values."""
    fields = type(claim).model_fields
    for name, values in choices.items():
        if not values:
            yield f"choices must have values, got none for {name!r}. List at least one."
        elif name == "factor":
            yield (
                "choices must be about one factor, which labels are permuted for, got several. Add "
                "a multiverse for each factor."
            )
        elif name != MATCHED and name not in fields and "." not in name:
            known = [each for each in fields if each not in ("name", "tasks")]
            yield (
                "choices must be fields of the claim, where.FIELD, matched, or ANALYSIS.FIELD, got "
                f"{name!r}. Fields of the claim: {', '.join(known)}."
            )


def _analysis_of(name: str, claim: Claim) -> str:
    """Return the analysis that a choice is about; empty for a choice of the claim or networks."""
    if "." not in name or name.startswith(WHERE):
        return ""
    return name.split(".")[0]


def _of_analysis(settings: Mapping[str, Any], title: str) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name.startswith(f"{title}.")}


def _need_fields(claim: Claim) -> dict[str, str]:
    """Return the fields of a claim that name analyses."""
    needs = claim.needs()
    values = {name: getattr(claim, name) for name in type(claim).model_fields}
    return {n: value for n, value in values.items() if isinstance(value, str) and value in needs}


def _settings(claim: Claim, choices: Choices) -> Iterator[dict[str, Any]]:
    """Yield all settings of the analyses that a claim reads."""
    needs = claim.needs()
    paths = {n: values for n, values in choices.items() if _analysis_of(n, claim) in needs}
    for values in product(*paths.values()):
        yield dict(zip(paths, values, strict=True))


def _with_value(component: Any, path: Sequence[str], value: Any, whole: str) -> Any:
    """Return a component with another value of a field, or of a field of a field."""
    name, *rest = path
    if not isinstance(component, Component) or name not in type(component).model_fields:
        raise ValueError(
            f"choices must name fields of analyses, got {whole!r}. It has no {name!r}."
        )
    inner = _with_value(getattr(component, name), rest, value, whole) if rest else value
    return component.replace(**{name: inner})
