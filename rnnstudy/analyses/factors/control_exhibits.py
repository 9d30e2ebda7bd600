"""Tests against controls as a strip of distances and two tables."""

from collections.abc import Iterable

import numpy as np

from rnnstudy.analyses.base import Section
from rnnstudy.analyses.factors.control_record import ControlTests
from rnnstudy.analyses.factors.loss_matching import MATCHED_NOTE, matching_sentence
from rnnstudy.analyses.factors.reference_groups import ITSELF
from rnnstudy.core.exhibit import Exhibit, Note, Strip, Table


def control_exhibits(
    of: str, performance: str, result: ControlTests, section: Section
) -> Iterable[Exhibit]:
    """Yield the exhibits of a record. of: name of the analysis of the distances."""
    note = MATCHED_NOTE if performance == "matched" else ""
    if result.matching:
        yield Note(title=f"Networks of equal loss, {of}", text=matching_sentence(result.matching))
    if reasons := _left_out(result, section):
        yield Note(
            title=f"Not tested in {of}", text=f"{reasons} Networks: {len(result.labels)}." + note
        )
    if len(result.others):
        yield _strip(of, note, result)
    if len(result.statistic):
        yield _nearness(of, note, result)
    if len(result.trained):
        yield _gains(of, note, result)


def _left_out(result: ControlTests, section: Section) -> str:
    imported = [member.name for member in section.members if member.fields.get("seed") is None]
    sentences = [f"{name}: {reason}." for name, reason in result.left_out.items()]
    if imported:
        sentences.append(f"Imported, so without untrained twins: {', '.join(imported)}.")
    return " ".join(sentences)


def _strip(of: str, note: str, result: ControlTests) -> Strip:
    order = np.argsort(np.nanmedian(result.distance, axis=0), kind="stable")
    rows = [(i, k) for k in order for i in range(len(result.labels))]
    rows = [(i, k) for i, k in rows if np.isfinite(result.distance[i, k])]
    return Strip(
        title=f"Mean distance of trained networks to each kind of others, {of}",
        caption="One dot per trained network and row. Same kind, untrained, trained on another "
        f"task: networks that agree with it in all but the seed; {ITSELF}: the same network before "
        "training; other cell, activation, ...: trained networks that differ in nothing else."
        f"{note}",
        values=np.array([result.distance[i, k] for i, k in rows]),
        categories=[result.others[k] for _, k in rows],
        labels=[result.labels[i] for i, _ in rows],
        value_label="distance",
    )


def _nearness(of: str, note: str, result: ControlTests) -> Table:
    return Table(
        title=f"Nearer to controls of one's own kind than to trained networks of another, {of}",
        caption="Nearness: (b - a) / (b + a), with a trained network's mean distances a to "
        "controls (others of its kind, untrained or trained on another task) and b to trained "
        "networks that differ in the factor; above 0 where the controls are nearer. Level: value "
        "of the factor of the networks; a mean over all can hide one. Share: of "
        "networks that are nearer to the controls. Interval: 95 %, p two-sided, by jackknife. "
        f"Corrected: Holm, over rows.{note}",
        columns={
            "factor": result.factor,
            "control": result.control,
            "level": result.level,
            "nearness": result.statistic.tolist(),
            "low": result.low.tolist(),
            "high": result.high.tolist(),
            "share": result.share.tolist(),
            "p": result.p.tolist(),
            "corrected p": result.corrected_p.tolist(),
            "networks": result.networks.tolist(),
        },
    )


def _gains(of: str, note: str, result: ControlTests) -> Table:
    return Table(
        title=f"Separation by factors after training and before, {of}",
        caption="Share of networks whose nearest other network has the same value of the factor, "
        "among trained networks and among the same before training, each with p by permutation "
        "among networks that agree in all other factors; what training adds, with its 95 % "
        f"interval over networks (jackknife). Corrected: Holm, over factors.{note}",
        columns={
            "factor": result.line_factor,
            "trained": result.trained.tolist(),
            "p trained": result.trained_p.tolist(),
            "untrained": result.untrained.tolist(),
            "p untrained": result.untrained_p.tolist(),
            "chance": result.chance.tolist(),
            "training adds": result.gain.tolist(),
            "low": result.gain_low.tolist(),
            "high": result.gain_high.tolist(),
            "p": result.gain_p.tolist(),
            "corrected p": result.corrected_gain_p.tolist(),
        },
    )
