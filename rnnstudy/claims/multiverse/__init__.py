"""Multiverse: one claim under many defensible choices, with a specification curve."""

from rnnstudy.analyses import ANALYSES
from rnnstudy.claims.multiverse.analysis import Multiverse
from rnnstudy.claims.multiverse.record import MultiverseResult

# An analysis of the catalogue that is built on claims, and therefore is defined above analyses.
ANALYSES[Multiverse.kind] = Multiverse

__all__ = ["Multiverse", "MultiverseResult"]
