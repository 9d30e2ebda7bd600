"""Names of format 1, which stored classes by module path, to read its stores.

This version writes format 2 and reads both. The next version drops this module.
"""

from typing import Any

PATHS = {
    "task:flip_flop": "rnnstudy.tasks.flip_flop:FlipFlop",
    "task:sine": "rnnstudy.tasks.sine:Sine",
    "task:integration": "rnnstudy.tasks.integration:Integration",
    "cell:vanilla": "rnnstudy.cells.vanilla:Vanilla",
    "cell:ugrnn": "rnnstudy.cells.ugrnn:UGRNN",
    "cell:gru": "rnnstudy.cells.gru:GRU",
    "cell:lstm": "rnnstudy.cells.lstm:LSTM",
    "initialiser:orthogonal": "rnnstudy.cells.initialisers:Orthogonal",
    "initialiser:normal": "rnnstudy.cells.initialisers:Normal",
    "initialiser:identity": "rnnstudy.cells.initialisers:Identity",
    "metric:svcca": "rnnstudy.metrics.svcca:SVCCA",
    "metric:cca": "rnnstudy.metrics.cca:CCA",
    "metric:pwcca": "rnnstudy.metrics.pwcca:PWCCA",
    "metric:cka": "rnnstudy.metrics.cka:CKA",
    "metric:procrustes": "rnnstudy.metrics.procrustes:Procrustes",
    "metric:principal_angles": "rnnstudy.metrics.principal_angles:PrincipalAngles",
    "metric:rsa": "rnnstudy.metrics.rsa:RSA",
    "metric:dsa": "rnnstudy.metrics.dsa:DSA",
    "solver:levenberg_marquardt": "rnnstudy.dynamics.solvers:LevenbergMarquardt",
    "solver:newton": "rnnstudy.dynamics.solvers:Newton",
    "solver:iteration": "rnnstudy.dynamics.solvers:Iteration",
    "solver:adam": "rnnstudy.dynamics.solvers:Adam",
    "analysis:fixed_points": "rnnstudy.analyses.fixed_points:FixedPointAnalysis",
    "analysis:representations": "rnnstudy.analyses.representations:Representations",
    "analysis:pairs": "rnnstudy.analyses.pairs:Pairs",
    "analysis:embedding": "rnnstudy.analyses.embedding:Embedding",
    "analysis:topology": "rnnstudy.analyses.topology:Topology",
    "analysis:transitions": "rnnstudy.analyses.transitions:TransitionAnalysis",
    "analysis:graph_distances": "rnnstudy.analyses.graphs:Graphs",
    "analysis:oscillations": "rnnstudy.analyses.oscillations:Oscillations",
    "analysis:line_attractor": "rnnstudy.analyses.line_attractor:LineAttractors",
    "analysis:point_geometry": "rnnstudy.analyses.arrangement:Arrangement",
    "analysis:evaluation": "rnnstudy.analyses.evaluation:Evaluation",
    "analysis:factor_tests": "rnnstudy.analyses.groups:Groups",
    "analysis:controls": "rnnstudy.analyses.controls:Controls",
    "analysis:control_tests": "rnnstudy.analyses.twins:Twins",
    "claim:cube": "rnnstudy.claims.cube:Cube",
    "claim:cube_graph": "rnnstudy.claims.cube_graph:CubeGraph",
    "claim:geometry_depends_on": "rnnstudy.claims.depends:GeometryDependsOn",
    "claim:frequency_follows": "rnnstudy.claims.frequency:FrequencyFollows",
    "claim:line_attractor": "rnnstudy.claims.line:Line",
    "claim:one_mode_or_several": "rnnstudy.claims.modes:OneModeOrSeveral",
    "claim:nearer_untrained": "rnnstudy.claims.nearer:NearerUntrained",
    "training": "rnnstudy.population.protocol:Training",
    "network": "rnnstudy.study.networks:Network",
    "pending_network": "rnnstudy.study.selection:Undecided",
    "imported_model": "rnnstudy.study.models:ModelNetwork",
    "selection": "rnnstudy.study.selection:Selection",
    "keras_cell": "rnnstudy.dynamics.own:KerasCell",
    "fixed_point_search": "rnnstudy.dynamics.search:Search",
    "orbit_search": "rnnstudy.dynamics.shooting:Shooting",
    "circle_search": "rnnstudy.dynamics.circles:Circling",
    "continuation_settings": "rnnstudy.dynamics.arclength:Stride",
    "population": "rnnstudy.population.population:Population",
    "training_state": "rnnstudy.population.course:Course",
    "trained_networks": "rnnstudy.population.training:Trained",
    "imported_network": "rnnstudy.study.given:Given",
    "selection_result": "rnnstudy.study.choices:Choice",
    "modes": "rnnstudy.dynamics.modes:Modes",
    "non_normality": "rnnstudy.dynamics.nonnormal:NonNormality",
    "fixed_points": "rnnstudy.dynamics.points:FixedPoints",
    "slow_points": "rnnstudy.dynamics.points:SlowPoints",
    "continua": "rnnstudy.dynamics.continua:Continua",
    "branches": "rnnstudy.dynamics.branches:Branches",
    "periodic_orbits": "rnnstudy.dynamics.orbits:Cycles",
    "invariant_circles": "rnnstudy.dynamics.rounds:Circles",
    "basins": "rnnstudy.dynamics.fates:Basins",
    "connections": "rnnstudy.dynamics.graph:Connections",
    "transitions": "rnnstudy.dynamics.transition_record:Transitions",
    "lyapunov": "rnnstudy.dynamics.lyapunov:Lyapunov",
    "distances": "rnnstudy.comparison.pairs:Distances",
    "metric_form": "rnnstudy.comparison.tiles:Prepared",
    "distance_tile": "rnnstudy.comparison.tiles:Tile",
    "coordinates": "rnnstudy.comparison.embedding:Coordinates",
    "activity": "rnnstudy.analyses.representations:Activity",
    "evaluation": "rnnstudy.analyses.evaluation:Evaluated",
    "oscillation": "rnnstudy.analyses.oscillation_record:Oscillation",
    "line_attractor": "rnnstudy.analyses.line_record:LineAttractor",
    "control_distances": "rnnstudy.analyses.controls:Controlled",
    "factor_tests": "rnnstudy.analyses.group_record:Grouping",
    "control_tests": "rnnstudy.analyses.twin_record:TwinRecord",
    "evidence": "rnnstudy.claims.base:Evidence",
}
"""Tag -> path of the class in format 1."""

FIELDS: dict[str, dict[str, str]] = {
    "solver:levenberg_marquardt": {
        "extra_steps": "further",
        "decrease_factor": "accept",
        "increase_factor": "reject",
        "max_damping": "most_damping",
        "gradient_tolerance": "flat",
    },
    "fixed_points": {"n_starts": "hits"},
    "slow_points": {"n_starts": "hits"},
    "continua": {"n_starts": "hits"},
    "periodic_orbits": {"n_starts": "hits"},
    "invariant_circles": {"n_starts": "hits"},
    "coordinates": {"out_of_sample": "placed"},
    "connections": {"has_labels": "words"},
    "transitions": {"has_labels": "words"},
    "continuation_settings": {
        "ds": "first",
        "ds_max": "longest",
        "ds_min": "shortest",
        "max_points": "points",
        "max_norm": "farthest",
    },
    "selection": {"statistic": "by"},
    "control_tests": {"line_factor": "told"},
    "evidence": {"shortage": "lacking"},
    "training": {"record_every": "history", "solved_for": "hold"},
}
"""Tag -> renamed fields: current name -> name in format 1."""

_TAGS = {path: tag for tag, path in PATHS.items()}


def path_of(tag: str) -> str:
    """Return the path that format 1 wrote for a tag."""
    return PATHS.get(tag, tag)


def tag_of_path(path: str) -> str:
    """Return the tag of a class from its path in format 1."""
    return _TAGS.get(path, path)


def field_of(tag: str, name: str) -> str:
    """Return the name of a field in format 1."""
    return FIELDS.get(tag, {}).get(name, name)


def rename_fields(tag: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the stored fields of format 1 under their current names."""
    names = {old: new for new, old in FIELDS.get(tag, {}).items()}
    return {names.get(name, name): value for name, value in fields.items()}
