"""Recurrent cells. A new cell is one file and one line in `CELLS`."""

from typing import Annotated

from rnnstudy.cells.base import Cell, Weight, row
from rnnstudy.cells.dale import Dale
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.initialisers import INITIALISERS, AnyInitialiser, Initialiser
from rnnstudy.cells.low_rank import LowRank
from rnnstudy.cells.lru import LRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.min_gru import MinGRU
from rnnstudy.cells.rate import Rate
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.catalogue import CatalogueField, catalogue

CELLS: dict[str, type[Cell]] = catalogue(
    Vanilla,
    UGRNN,
    GRU,
    LSTM,
    Rate,
    LowRank,
    Dale,
    MinGRU,
    LRU,
)

AnyCell = Annotated[Cell, CatalogueField("cell", CELLS)]

__all__ = [
    "CELLS",
    "INITIALISERS",
    "AnyCell",
    "AnyInitialiser",
    "Cell",
    "Initialiser",
    "Weight",
    "row",
]
