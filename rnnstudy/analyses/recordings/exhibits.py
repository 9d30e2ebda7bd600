"""Figures of networks beside a recording."""

from collections.abc import Iterable

import numpy as np

from rnnstudy.analyses.base import Section
from rnnstudy.analyses.distances.all_pairs import cells_and_activations, left_out_sentences
from rnnstudy.core.exhibit import Exhibit, Matrix, Note, Strip
from rnnstudy.recordings.distances import RECORDING, RecordingDistances


def recording_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """Yield the distances to the recording, and those between all items.

    Parameters
    ----------
    section
        Networks and records of the task.
    title
        Name of the analysis of the distances.
    """
    distances = section.shared[title]
    if not isinstance(distances, RecordingDistances):
        return
    left_out, networks = left_out_sentences(distances), list(distances.labels[:-1])
    if not networks:
        heading = f"Networks and the recording {distances.recording}, {title}"
        yield Note(title=heading, text=f"No network has distances.{left_out}")
        return
    yield _to_recording(section, title, distances, left_out)
    yield Matrix(
        title=f"Distance between networks and the recording {distances.recording}, {title}",
        caption="Each row and column is a network; the last one is the recording. All are compared "
        f"in the rows of the recording.{left_out}",
        values=distances.values,
        labels=distances.labels,
        groups=with_recording(cells_and_activations(section, networks)),
        value_label="distance",
    )


def with_recording(groups: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the groups of networks with one of its own for the recording, which is last.

    Examples
    --------
    >>> with_recording({"cell": ["gru"]})
    {'cell': ['gru', 'recording']}
    """
    return {name: [*values, RECORDING] for name, values in groups.items()}


def _to_recording(
    section: Section, title: str, distances: RecordingDistances, left_out: str
) -> Strip:
    """Return the distance of each network to the recording, with the noise ceiling."""
    members = {member.name: member for member in section.members}
    networks = list(distances.labels[:-1])
    return Strip(
        title=f"Distance to the recording {distances.recording}, {title}",
        caption=f"Each dot is a network. {describe_ceiling(distances)}{left_out}",
        values=distances.values[-1, :-1],
        categories=[members[name].combination for name in networks],
        labels=networks,
        value_label="distance to the recording",
        limit=distances.least_distance if np.isfinite(distances.least_distance) else None,
        finding=nearest_sentence(distances),
    )


def nearest_sentence(distances: RecordingDistances) -> str:
    """Return the nearest network and the least distance that noise allows, as sentences.

    Examples
    --------
    >>> one = RecordingDistances(
    ...     labels=("a", "b", "ape"), values=np.abs(np.subtract.outer([2.0, 1, 0], [2.0, 1, 0])),
    ...     recording="ape", least_distance=0.5, cross_validated=np.full(3, np.nan),
    ...     half_distance=0.9, note="", sizes={"neurons": 40},
    ... )
    >>> nearest_sentence(one)
    'Nearest to the recording ape is b, at 1. The farthest network is at 2. Noise allows 0.5.'
    """
    to_networks = distances.values[-1, :-1]
    if not np.isfinite(to_networks).any():
        return ""
    nearest = distances.labels[int(np.nanargmin(to_networks))]
    least, most = np.nanmin(to_networks), np.nanmax(to_networks)
    sentence = (
        f"Nearest to the recording {distances.recording} is {nearest}, at {least:.3g}. The "
        f"farthest network is at {most:.3g}."
    )
    if np.isfinite(distances.least_distance):
        sentence += f" Noise allows {distances.least_distance:.3g}."
    return sentence


def describe_ceiling(distances: RecordingDistances) -> str:
    """Return sentences on the rows that are compared, and on the noise ceiling.

    Examples
    --------
    >>> one = RecordingDistances(
    ...     labels=("ape",), values=np.zeros((1, 1)), recording="ape", least_distance=np.nan,
    ...     cross_validated=np.array([np.nan]), half_distance=np.nan, note="Too few trials.",
    ...     sizes={"conditions": 4, "neurons": 20},
    ... )
    >>> describe_ceiling(one)
    'Compared: 4 conditions, 20 neurons. There is no noise ceiling: Too few trials.'
    """
    sizes = ", ".join(f"{count} {noun}" for noun, count in distances.sizes.items())
    if distances.note:
        return f"Compared: {sizes}. There is no noise ceiling: {distances.note}"
    return (
        f"Compared: {sizes}. The line is the noise ceiling: the smallest distance that noise "
        f"allows ({distances.least_distance:.3g}). Two halves of the trials have the distance "
        f"{distances.half_distance:.3g}."
    )
