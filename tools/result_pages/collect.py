"""Numbers of a finished run as tables, which are written as CSV files."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.factors.geometry_against_topology import FactorShares
from rnnstudy.analyses.generalisation.record import Generalisation
from rnnstudy.analyses.line_attractors.mode_counts import MODE_CRITERIA, MODE_MEASURES
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.analyses.solution_classes.record import SolutionClass, class_labels
from rnnstudy.claims.multiverse.record import MultiverseResult
from rnnstudy.study.errors import RunError
from rnnstudy.study.results.run import Run
from rnnstudy.study.results.verdict_exhibits import verdict_exhibits
from rnnstudy.study.results.verdict_table import ClaimResult, verdict_columns

GROUP = ["task", "protocol", "cell", "activation"]
"""Fields of a row of networks."""


def collect_tables(run: Run, *, partial: bool = False) -> dict[str, pd.DataFrame]:
    """Return all tables of a run, by name.

    Raise RunError if a claim is not computed yet, unless a partial run is wanted.
    """
    results = run.verdicts()
    missing = [each for each in results if each.word == "not computed"]
    if missing and not partial:
        raise RunError(
            f"{run.directory} lacks {len(missing)} of {len(results)} verdicts, such as that on "
            f"{missing[0].claim.title} of {missing[0].task.title}. Run the study to its end."
        )
    sections = [run.section(task.title) for task in run.study.tasks]
    return {
        "claims": claim_table(results),
        **verdict_parts(results),
        "networks": network_table(run.members),
        "classes": class_table(run, sections),
        "modes": mode_table(run, sections),
        "generalisation": generalisation_table(run, sections),
        "shares": share_table(sections),
        **choice_tables(sections),
        "execution": execution_table(run.provenance),
        "stages": stage_table(run.provenance),
    }


def claim_table(results: Sequence[ClaimResult]) -> pd.DataFrame:
    """Return one row per claim and task: the verdict, its numbers and controls."""
    table = pd.DataFrame(verdict_columns(results))
    protocols = [str(each.claim.where.get("protocol", "")) for each in results]
    table.insert(2, "protocol", protocols)
    return table


def verdict_parts(results: Sequence[ClaimResult]) -> dict[str, pd.DataFrame]:
    """Return the controls of all claims, and the parts of claims that have parts."""
    names = {"Controls": "controls", "Part by part": "parts"}
    return {
        names[exhibit.title]: pd.DataFrame(dict(getattr(exhibit, "columns", {})))
        for exhibit in verdict_exhibits(results)
        if exhibit.title in names
    }


def network_table(members: pd.DataFrame) -> pd.DataFrame:
    """Return one row per task, protocol, cell and activation: share of solved networks, loss."""
    rows = []
    for group, networks in with_protocol(members).groupby(GROUP, sort=False):
        solved, count = int(networks["solved"].eq(True).sum()), len(networks)
        interval = binomtest(solved, count).proportion_ci(0.95)
        rows.append({
            **dict(zip(GROUP, group, strict=True)),
            "networks": count,
            "diverged": int(networks["status"].eq("diverged").sum()),
            "solved": solved,
            "share": solved / count,
            "low": interval.low,
            "high": interval.high,
            "median_loss": networks["loss"].astype(float).median(),
            "median_accuracy": networks["accuracy"].astype(float).median(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def with_protocol(members: pd.DataFrame) -> pd.DataFrame:
    """Return a table of networks with a protocol, which is empty if the study has none."""
    table = members.copy()
    table["protocol"] = table["protocol"].fillna("") if "protocol" in table else ""
    return table


def class_table(run: Run, sections: Iterable[Section]) -> pd.DataFrame:
    """Return the number of solved networks of each class, per combination."""
    rows = []
    for section in sections:
        members, records = records_of(run, section, SolutionClass)
        attractors = [record.label_at("attractors") for record in records]
        labels = zip(members, class_labels(records), attractors, strict=True)
        counts = Counter((*_group(section, m), label, coarse) for m, label, coarse in labels)
        rows += [(*key, count) for key, count in counts.items()]
    return pd.DataFrame(rows, columns=[*GROUP, "class", "attractors", "networks"])


def mode_table(run: Run, sections: Iterable[Section]) -> pd.DataFrame:
    """Return the median number of modes that integrate, under each criterion, per combination."""

    def summary(records: Sequence[LineAttractor]) -> dict[str, Any]:
        row: dict[str, Any] = {"networks": len(records)}
        row["with_slow_points"] = sum(bool(np.isfinite(r.fit).any()) for r in records)
        for measure, threshold in MODE_CRITERIA:
            limit = records[0].slow_modulus if threshold is None else threshold
            counts = np.array([record.mean_n_modes(measure, limit) for record in records])
            known = counts[~np.isnan(counts)]
            name = MODE_MEASURES[measure].short.format(limit)
            row[name] = float(np.median(known)) if len(known) else None
        return row

    return _by_group(run, sections, LineAttractor, summary)


def generalisation_table(run: Run, sections: Iterable[Section]) -> pd.DataFrame:
    """Return the median accuracy at the largest value of each shift, per combination."""
    rows: list[dict[str, Any]] = []
    for section in sections:
        groups = _groups(section, *records_of(run, section, Generalisation))
        for group, records in groups.items():
            for shift in records[0].shifts:
                row = int(records[0].rows(shift)[-1])
                rows.append({
                    **dict(zip(GROUP, group, strict=True)),
                    "networks": len(records),
                    "shift": shift,
                    "value": float(records[0].value[row]),
                    "accuracy": float(np.median([r.accuracy[row] for r in records])),
                    "last_error": float(np.median([r.last_error[row] for r in records])),
                    "words_kept": float(np.median([r.kept_share[row] for r in records])),
                })  # fmt: skip
    return pd.DataFrame(rows)


def share_table(sections: Iterable[Section]) -> pd.DataFrame:
    """Return the share of squared distances that each factor explains."""
    frames = [
        record.to_frame().assign(task=section.task.title)
        for section in sections
        for record in section.shared.values()
        if isinstance(record, FactorShares)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def choice_tables(sections: Iterable[Section]) -> dict[str, pd.DataFrame]:
    """Return one row per specification curve, and one per specification."""
    curves, specifications = [], []
    for section in sections:
        for name, record in section.shared.items():
            if isinstance(record, MultiverseResult):
                about = {"curve": name, "task": section.task.title}
                curves.append({**about, **_curve(record)})
                specifications.append(record.to_frame().assign(**about))
    joined = pd.concat(specifications, ignore_index=True) if specifications else pd.DataFrame()
    return {"choices": pd.DataFrame(curves), "specifications": joined}


def _curve(record: MultiverseResult) -> dict[str, Any]:
    tested = np.isfinite(record.effect)
    known = record.effect[tested]
    return {
        "claim": record.claim,
        "specifications": len(record.effect),
        "tested": int(tested.sum()),
        "uninformative": sum(reason == "uninformative" for reason in record.reasons),
        "supporting": int(np.asarray(record.supports, bool).sum()),
        "median_effect": record.median,
        "lowest": float(known.min()) if len(known) else None,
        "highest": float(known.max()) if len(known) else None,
        "p": record.median_p,
    }


def execution_table(provenance: dict[str, Any]) -> pd.DataFrame:
    """Return time, machine and versions of the last execution, one row per field."""
    names = ("command", "begun", "ended", "seconds", "cores", "platform", "devices")
    about = {name: provenance[name] for name in names if name in provenance}
    about |= {"command": " ".join(provenance.get("command", []))}
    about |= {"devices": ", ".join(provenance.get("devices", []))}
    about |= {f"version of {name}": v for name, v in provenance.get("versions", {}).items()}
    about |= {"failed jobs": len(provenance.get("failures", []))}
    return pd.DataFrame({"field": list(about), "value": [str(v) for v in about.values()]})


def stage_table(provenance: dict[str, Any]) -> pd.DataFrame:
    """Return the number of jobs of each kind in the last execution, and their seconds."""
    seconds: dict[str, list[float]] = {}
    for label, duration in provenance.get("jobs", {}).items():
        kind = label.split()[0] if label.strip() else label
        seconds.setdefault(kind, []).append(float(duration))
    rows = [(kind, len(each), round(sum(each), 1)) for kind, each in seconds.items()]
    return pd.DataFrame(rows, columns=["kind", "jobs", "seconds"])


def records_of(run: Run, section: Section, kind: type) -> tuple[list[Member], list[Any]]:
    """Return the networks of a task that an analysis is about, and its records of a class."""
    for analysis in run.study.analyses:
        if getattr(analysis, "yields", None) is kind:
            records = run.section_of(analysis, section).records.get(analysis.title, {})
            pairs = [(m, records[m.name]) for m in section.members if m.name in records]
            return [member for member, _ in pairs], [record for _, record in pairs]
    return [], []


def _by_group(
    run: Run,
    sections: Iterable[Section],
    kind: type,
    summary: Callable[[Sequence[Any]], dict[str, Any]],
) -> pd.DataFrame:
    rows = [
        {**dict(zip(GROUP, group, strict=True)), **summary(records)}
        for section in sections
        for group, records in _groups(section, *records_of(run, section, kind)).items()
    ]
    return pd.DataFrame(rows)


def _groups(
    section: Section, members: Sequence[Member], records: Sequence[Any]
) -> dict[tuple[str, ...], list[Any]]:
    groups: dict[tuple[str, ...], list[Any]] = {}
    for member, record in zip(members, records, strict=True):
        groups.setdefault(_group(section, member), []).append(record)
    return groups


def _group(section: Section, member: Member) -> tuple[str, ...]:
    fields = {**member.fields, "task": section.task.title}
    return tuple(str(fields.get(name) or "") for name in GROUP)
