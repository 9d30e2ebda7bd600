"""Stable tags of classes in addresses and stored files.

A tag is not a path, so that a class can move to another module without losing its results. The tag
of a catalogue's entry is `noun:kind` (`cell:gru`). The other classes of this package are listed
here. The tag of a user's own class is its path `package.module:Class`.
"""

from rnnstudy.core.source.plugins import find_attribute

CATALOGUES = {
    "task": "rnnstudy.tasks:TASKS",
    "loss": "rnnstudy.tasks.losses:LOSSES",
    "cell": "rnnstudy.cells:CELLS",
    "initialiser": "rnnstudy.cells.initialisers:INITIALISERS",
    "metric": "rnnstudy.metrics:METRICS",
    "solver": "rnnstudy.dynamics.root_finding.solvers:SOLVERS",
    "analysis": "rnnstudy.analyses:ANALYSES",
    "claim": "rnnstudy.claims:CLAIMS",
}
"""Noun of a catalogue -> path of the catalogue."""

CLASSES = {
    # Components that are no entries of a catalogue.
    "training": "rnnstudy.training.protocol:Training",
    "network": "rnnstudy.study.spec.networks:TrainedNetworkSpec",
    "initial_network": "rnnstudy.study.spec.networks:InitialNetworkSpec",
    "pending_network": "rnnstudy.study.spec.selection:PendingNetwork",
    "imported_model": "rnnstudy.study.spec.imported_models:ImportedNetworkSpec",
    "selection": "rnnstudy.study.spec.selection:Selection",
    "keras_cell": "rnnstudy.keras_bridge.keras_cell:KerasCell",
    "fixed_point_search": "rnnstudy.dynamics.fixed_points.search:FixedPointSearch",
    "orbit_search": "rnnstudy.dynamics.periodic_orbits.search:OrbitSearch",
    "class_thresholds": "rnnstudy.analyses.solution_classes.thresholds:ClassThresholds",
    "circle_search": "rnnstudy.dynamics.invariant_circles.search:CircleSearch",
    "continuation_settings": "rnnstudy.dynamics.continuation.settings:ContinuationSettings",
    "recording_source": "rnnstudy.recordings.source:RecordingSource",
    "nwb_options": "rnnstudy.recordings.nwb:NWBOptions",
    # Records.
    "population": "rnnstudy.population.population:Population",
    "training_state": "rnnstudy.training.state:TrainingState",
    "trained_networks": "rnnstudy.training.train:TrainedNetworks",
    "imported_network": "rnnstudy.study.plan.import_models:ImportedNetwork",
    "selection_result": "rnnstudy.study.plan.selection:SelectionResult",
    "network_outcome": "rnnstudy.study.plan.outcomes:NetworkOutcome",
    "modes": "rnnstudy.dynamics.linearisation.modes:Modes",
    "non_normality": "rnnstudy.dynamics.linearisation.non_normality:NonNormality",
    "fixed_points": "rnnstudy.dynamics.fixed_points.record:FixedPoints",
    "slow_points": "rnnstudy.dynamics.fixed_points.record:SlowPoints",
    "continua": "rnnstudy.dynamics.fixed_points.continua_record:Continua",
    "branches": "rnnstudy.dynamics.continuation.record:Branches",
    "periodic_orbits": "rnnstudy.dynamics.periodic_orbits.record:Cycles",
    "invariant_circles": "rnnstudy.dynamics.invariant_circles.record:Circles",
    "basins": "rnnstudy.dynamics.basins.record:Basins",
    "connections": "rnnstudy.dynamics.connections.record:Connections",
    "transitions": "rnnstudy.dynamics.connections.transition_record:Transitions",
    "lyapunov": "rnnstudy.dynamics.lyapunov:Lyapunov",
    "distances": "rnnstudy.comparison.distances.pairs:Distances",
    "metric_form": "rnnstudy.comparison.distances.tiles:PreparedForm",
    "distance_tile": "rnnstudy.comparison.distances.tiles:DistanceTile",
    "coordinates": "rnnstudy.comparison.distances.embedding:Coordinates",
    "activity": "rnnstudy.analyses.distances.representations:Activity",
    "recorded_states": "rnnstudy.analyses.recordings.states:RecordedStates",
    "recording": "rnnstudy.recordings.record:Recording",
    "condition_averages": "rnnstudy.recordings.rows:ConditionAverages",
    "recording_distances": "rnnstudy.recordings.distances:RecordingDistances",
    "noise_ceiling": "rnnstudy.recordings.ceiling:NoiseCeiling",
    "generalisation": "rnnstudy.analyses.generalisation.record:Generalisation",
    "evaluation": "rnnstudy.analyses.factors.evaluation:EvaluationResult",
    "oscillation": "rnnstudy.analyses.oscillations.record:Oscillation",
    "line_attractor": "rnnstudy.analyses.line_attractors.record:LineAttractor",
    "solution_class": "rnnstudy.analyses.solution_classes.record:SolutionClass",
    "control_distances": "rnnstudy.analyses.distances.controls:ControlDistances",
    "factor_tests": "rnnstudy.analyses.factors.factor_record:FactorTests",
    "factor_shares": "rnnstudy.analyses.factors.geometry_against_topology:FactorShares",
    "control_tests": "rnnstudy.analyses.factors.control_record:ControlTests",
    "multiverse": "rnnstudy.claims.multiverse.record:MultiverseResult",
    "evidence": "rnnstudy.claims.evidence.record:Evidence",
    "claim_controls": "rnnstudy.claims.evidence.record:ClaimControls",
    "claim_parts": "rnnstudy.claims.evidence.record:Parts",
}
"""Tag -> path of the class."""

_TAGS = {path: tag for tag, path in CLASSES.items()}


def class_path(cls: type) -> str:
    """Return the path `package.module:Class` of a class."""
    return f"{cls.__module__}:{cls.__qualname__}"


def tag_of(cls: type) -> str:
    """Return the tag of a class: of the table, `noun:kind` of a catalogue's entry, or its path."""
    path = class_path(cls)
    return _TAGS.get(path) or getattr(cls, "entry_tag", "") or path


def class_of(tag: str) -> type:
    """Return the class that a tag names.

    Raises ImportError, AttributeError or KeyError if there is no such class. The same if its module
    is a user's that must not be imported.
    """
    if tag in CLASSES:
        return find_class(CLASSES[tag])
    noun, _, kind = tag.partition(":")
    entries = find_attribute(CATALOGUES[noun]) if noun in CATALOGUES else {}
    entry: type = entries[kind] if kind in entries else find_class(tag)
    return entry


def find_class(path: str) -> type:
    """Return the class at `package.module:Class`.

    Raises ImportError or AttributeError if there is none, or if its module must not be imported.
    """
    value = find_attribute(path)
    if not isinstance(value, type):
        raise AttributeError(f"{path} is not a class")
    return value
