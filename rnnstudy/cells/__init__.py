"""How the state moves. A new cell is one file here and one line in this catalogue."""

from typing import Annotated

from rnnstudy.cells.base import Cell, Weight, row
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.initialisers import INITIALISERS, AnyInitialiser, Initialiser
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.catalogue import OneOf

CELLS: dict[str, type[Cell]] = {"vanilla": Vanilla, "ugrnn": UGRNN, "gru": GRU, "lstm": LSTM}

AnyCell = Annotated[Cell, OneOf("cell", CELLS)]

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
