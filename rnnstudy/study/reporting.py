"""What a run writes besides its records: the fields of a spec's `report`."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from rnnstudy.core.component import Component
from rnnstudy.study.networks import Axis


class Report(Component):
    """What the run writes besides its records."""

    title: str | None = None
    """Title of the page; default: the study's name."""

    formats: Annotated[tuple[Literal["svg", "pdf"], ...], Axis()] = ("svg", "pdf")
    """File formats of the figures, to take away; the page itself shows SVG in any case."""

    models: Annotated[tuple[str, ...], Axis()] | None = None
    """Names of networks to write as Keras models to `models/`, with * and ? as in a shell."""

    def wants_model(self, name: str) -> bool:
        """Whether the network of this name is written as a Keras model."""
        return any(fnmatchcase(name, pattern) for pattern in self.models or ())
