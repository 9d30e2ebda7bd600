"""Entry of a spec for a recording, and the recording that its file holds."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.core.component import Component
from rnnstudy.recordings.files import read_recording_bytes, recording_of_bytes
from rnnstudy.recordings.matching import RecordingMatch, match_recording
from rnnstudy.recordings.nwb import NWBOptions
from rnnstudy.recordings.windows import Between
from rnnstudy.tasks import Task


class RecordingSource(Component):
    """A recording of neurons: a file, whose activity is compared with networks of a task.

    Examples
    --------
    >>> RecordingSource(file="data/ape-3.npz").title
    'ape_3'
    """

    labels: ClassVar[frozenset[str]] = frozenset({"file", "task"})

    file: str
    """A `.npz`, NetCDF (`.nc`) or NWB (`.nwb`) file, relative to the spec."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60)] | None = None
    """Name of the recording; default: the file's name without its ending."""

    task: str | None = None
    """The task of the networks that are compared; default: the one task of the study."""

    condition: tuple[str, ...] | None = None
    """Fields of the file that make a condition; default: all. Without inputs in the file, trials of
    the task must have these fields."""

    align: str | None = None
    """Part of the task's trials at whose beginning the time of the recording is 0; default: the
    beginning of the trial."""

    average: bool = True
    """Compare averages over conditions, or else single trials."""

    nwb: NWBOptions | None = None
    """Event, window and bins by which the spikes of an NWB file are counted."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Checksum of the file, filled in when a spec is read. If set, the file is read only when it is
    needed, and must be the same then."""

    @property
    def title(self) -> str:
        """Name of the recording."""
        return self.name or name_of_file(self.file)

    def match(self, task: Task, between: Between | None = None) -> RecordingMatch:
        """Return the recording of the file with the rows and times that are compared.

        Raises
        ------
        ValueError
            The file has changed, or does not fit the task; the sentence begins with its name.
        """
        path = Path(self.file)
        recording = recording_of_bytes(
            read_recording_bytes(path, self.sha256), path, self.title, self.nwb
        )
        try:
            return match_recording(
                recording,
                task,
                self.condition,
                average=self.average,
                align=self.align,
                between=between,
            )
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error


def name_of_file(file: str) -> str:
    """Return a file's name without its ending, as a name of a recording.

    Examples
    --------
    >>> name_of_file("data/3 apes.nc")
    'recording_3_apes'
    """
    stem = "".join(each if each.isascii() and each.isalnum() else "_" for each in Path(file).stem)
    return stem[:50] if stem[:1].isalpha() else f"recording_{stem[:50]}"
