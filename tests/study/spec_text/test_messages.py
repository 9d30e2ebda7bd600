"""Every mistake in a spec gives one message, compared whole: place, key, what came, what next."""

from typing import Annotated, Literal, get_args

import pytest
from pydantic import ValidationError
from pydantic_core import InitErrorDetails
from pydantic_core.core_schema import ErrorType

from rnnstudy.claims import CLAIMS
from rnnstudy.core.component import Component
from rnnstudy.study.spec.study import load_study
from rnnstudy.study.spec_text.document import SpecError, document_of
from rnnstudy.study.spec_text.messages import SENTENCES, spec_problems
from rnnstudy.study.spec_text.reader import parse_document
from rnnstudy.tasks import TASKS

HEAD = """\
study: s
tasks: [flip_flop]
networks: {cells: [vanilla, gru, lstm], activations: [tanh, relu], seeds: 2}
"""
STUDY_KEYS = (
    "study, tasks, models, data, networks, training, protocols, selection, overrides, analyses, "
    "claims, report, runtime"
)
TRAINING_KEYS = (
    "steps, batch, data, learning_rate, final_rate, clip_norm, l2, rate_l2, "
    "state_noise, train_initial_state, record_every, precision, tf32, data_parallel, stop, "
    "solved_for, retry"
)
TASK_KINDS = ", ".join(sorted(TASKS))
NETWORKS_KEYS = f"cells, seeds, include, exclude, activations, units, {TRAINING_KEYS}"


def networks(fields: str) -> str:
    return f"study: s\ntasks: [flip_flop]\nnetworks: {{{fields}}}\n"


MISTAKES = {
    "unknown key": (
        "reprot: {}\n" + HEAD,
        f"1:1: reprot is not a known key; known keys: {STUDY_KEYS}; did you mean 'report'?",
    ),
    "unknown key, far from all": (
        HEAD + "zzz: 1\n",
        f"4:1: zzz is not a known key; known keys: {STUDY_KEYS}",
    ),
    "unknown key in networks": (
        networks("cells: gru, unit: 3"),
        (
            f"3:24: networks.unit is not a known key; known keys: {NETWORKS_KEYS}; "
            "did you mean 'units'?"
        ),
    ),
    "unknown key of a catalogue entry": (
        networks("cells: [{kind: gru, kernel_initializer: {kind: normal, gian: 2}}]"),
        (
            "3:67: networks.cells[0].kernel_initializer.gian is not a known key; known keys: gain; "
            "did you mean 'gain'?"
        ),
    ),
    "unknown cell": (
        "study: s\ntasks: [flip_flop]\nnetworks:\n  cells: [vanilla, lstm, gruu]\n",
        (
            "4:26: networks.cells[2] is 'gruu'; known cells: dale, gru, low_rank, lru, lstm, "
            "min_gru, rate, ugrnn, vanilla; did you mean 'gru'?"
        ),
    ),
    "unknown cell, not in a list": (
        networks("cells: gruu"),
        (
            "3:19: networks.cells is 'gruu'; known cells: dale, gru, low_rank, lru, lstm, "
            "min_gru, rate, ugrnn, vanilla; did you mean 'gru'?"
        ),
    ),
    "unknown kind": (
        HEAD.replace("flip_flop", "{kind: flipflop}"),
        (
            "2:16: tasks[0].kind is 'flipflop'; known tasks: " + TASK_KINDS + "; "
            "did you mean 'flip_flop'?"
        ),
    ),
    "kind that is a number": (
        HEAD.replace("flip_flop", "{kind: 3}"),
        "2:16: tasks[0].kind is 3; known tasks: " + TASK_KINDS,
    ),
    "no kind": (
        networks("cells: [{reset_after: true}]"),
        (
            "3:20: networks.cells[0] needs the key 'kind'; known cells: vanilla, ugrnn, gru, lstm, "
            "rate, low_rank, dale, min_gru, lru"
        ),
    ),
    "entry that is a number": (
        HEAD.replace("flip_flop", "3"),
        (
            "2:9: tasks[0] is 3, an integer; it should be the name of a task or a mapping with the "
            "key 'kind'"
        ),
    ),
    "outside class that is not there": (
        HEAD.replace("flip_flop", "'no_such_module:Task'"),
        (
            "2:9: tasks[0] is 'no_such_module:Task', which runs code of the module "
            "'no_such_module'; add --allow-plugins (in Python: allow_plugins=True) if you trust it"
        ),
    ),
    "outside class that is something else": (
        HEAD.replace("flip_flop", "{kind: 'json:JSONDecoder'}"),
        "2:16: tasks[0].kind is 'json:JSONDecoder', which is not a rnnstudy task",
    ),
    "fields that contradict each other": (
        HEAD.replace("flip_flop", "{kind: sine, highest_frequency: 0.001}"),
        (
            "2:9: tasks[0] is inconsistent: highest_frequency must be above lowest_frequency, "
            "got 0.001 and 0.01"
        ),
    ),
    "missing keys": (
        "study: s\n",
        "1:1: tasks is missing",
        "1:1: networks is missing, and there are no models; a study is of one or the other",
    ),
    "missing key inside": (networks("units: 3"), "3:11: networks.cells is missing"),
    "wrong types": (
        HEAD
        + "training:\n  steps: abc\n  batch: 1.5\n  l2: '0'\n  clip_norm: true\n  record_every:\n"
        "  learning_rate: [1]\n  state_noise: {a: 1}\n  train_initial_state: 1\n  final_rate: []\n",
        "5:10: training.steps is 'abc', a text; it should be an integer",
        "6:10: training.batch is 1.5, a number; it should be an integer",
        "7:7: training.l2 is '0', a text; it should be a number",
        "8:14: training.clip_norm is true, a truth value; it should be a number",
        "9:16: training.record_every is empty (null); it should be an integer",
        "10:18: training.learning_rate is a list; it should be a number",
        "11:16: training.state_noise is a mapping; it should be a number",
        "12:24: training.train_initial_state is 1, an integer; it should be true or false",
        "13:15: training.final_rate is an empty list; it should be a number",
    ),
    "mapping wanted": (
        HEAD + "training: 3\nreport: [svg]\nruntime:\n",
        "4:11: training is 3, an integer; it should be a mapping",
        "5:9: report is a list; it should be a mapping",
        "6:9: runtime is empty (null); it should be a mapping",
    ),
    "list wanted": (
        HEAD.replace("[flip_flop]", "flip_flop") + "overrides: {}\n",
        "2:8: tasks is 'flip_flop', a text; it should be a list",
        "4:12: overrides is an empty mapping; it should be a list",
    ),
    "out of range": (
        HEAD + "training: {steps: 0, learning_rate: 0, final_rate: 1.5, l2: -1}\n",
        "4:19: training.steps is 0; it should be at least 1",
        "4:37: training.learning_rate is 0; it should be above 0",
        "4:52: training.final_rate is 1.5; it should be at most 1",
        "4:61: training.l2 is -1; it should be at least 0",
    ),
    "not finite": (
        HEAD + "training: {l2: .nan, steps: .inf}\n",
        "4:16: training.l2 is .nan; numbers here are finite",
        "4:29: training.steps is .inf; numbers here are finite",
    ),
    "text out of form": (
        HEAD.replace("study: s", "study: my study"),
        "1:8: study is 'my study'; it should be a text that matches ^[A-Za-z][A-Za-z0-9_-]*$",
    ),
    "text too long": (
        HEAD.replace("study: s", "study: " + "s" * 101),
        f"1:8: study is '{'s' * 57}...'; it should be at most 100 characters long",
    ),
    "unknown choice": (
        HEAD + "report: {formats: [pdf, pgn, sgv]}\n",
        "4:25: report.formats[1] is 'pgn'; known: pdf, svg",
        "4:30: report.formats[2] is 'sgv'; known: pdf, svg; did you mean 'svg'?",
    ),
    "values of a grid axis": (
        networks("cells: gru, units: [32, 1.5, x], l2: [1, -1], steps: true"),
        "3:36: networks.units[1] is 1.5, a number; it should be an integer",
        "3:41: networks.units[2] is 'x', a text; it should be an integer",
        "3:53: networks.l2[1] is -1; it should be at least 0",
        "3:65: networks.steps is true, a truth value; it should be an integer",
    ),
    "empty grid": (
        networks("cells: [], units: [], l2: [], seeds: []"),
        "3:19: networks.cells is empty; it should list at least one value",
        "3:30: networks.units is empty; it should list at least one value",
        "3:38: networks.l2 is empty; it should list at least one value",
        "3:49: networks.seeds is empty; it should list at least one value",
    ),
    "no tasks": (
        HEAD.replace("flip_flop", ""),
        "2:8: tasks is empty; it should list at least one task",
    ),
    "nothing after the colon": (
        networks("cells: gru, units: , l2: "),
        "3:30: networks.units is empty (null); it should be an integer",
        "3:36: networks.l2 is empty (null); it should be a number",
    ),
    "value twice on an axis": (
        networks("cells: [gru, lstm, gru], units: [1, 2, 1], l2: [0, 0.0], seeds: [1, 1]"),
        "3:31: networks.cells[2] is listed twice",
        "3:51: networks.units[2] is listed twice",
        "3:63: networks.l2[1] is listed twice",
        "3:80: networks.seeds[1] is listed twice",
    ),
    "seeds": (
        networks("cells: gru, seeds: [-1, 3000000000]"),
        "3:32: networks.seeds[0] is -1; it should be at least 0",
        "3:36: networks.seeds[1] is 3000000000; it should be below 2147483648",
    ),
    "no seeds": (
        networks("cells: gru, seeds: 0"),
        "3:31: networks.seeds is 0; a number of seeds should be at least 1, at most 100000",
    ),
    "axes that every cell has": (
        networks("cells: [{kind: gru, units: 3, activation: tanh}], activations: relu, units: [3]"),
        "3:62: networks.activations is not used: every cell has activation",
        "3:81: networks.units is not used: every cell has units",
    ),
    "cells that give the same networks": (
        networks("cells: [gru, lstm, {kind: gru, activation: relu}], activations: [tanh, relu]"),
        "3:31: networks.cells[2] gives networks that networks.cells[0] gives, too",
    ),
    "too many networks": (
        networks("cells: gru, seeds: 60000, units: [1, 2]"),
        "3:11: networks asks for 120000 networks; a study has at most 100000",
    ),
    "field both in the grid and beside it": (
        networks("cells: gru, l2: [0, 1e-3]") + "training: {l2: 0}\n",
        "4:12: training.l2 is also given by networks.l2; keep one of the two",
    ),
    "two tasks of one name": (
        HEAD.replace("flip_flop", "flip_flop, {kind: sine, name: flip_flop}"),
        "2:20: tasks[1] is a second task called 'flip_flop'; give one of them a 'name'",
    ),
    "analysis that needs one that is not asked for": (
        HEAD + "analyses:\n  - {kind: pairs, metric: svcca}\n  - {kind: embedding, of: svca}\n",
        (
            "6:5: analyses[1] (embedding_svca) needs the analysis 'svca', which is not asked for: "
            "add it to analyses; asked for: svcca; did you mean 'svcca'?"
        ),
    ),
    "embedding of what looks at single networks": (
        HEAD + "analyses: [fixed_points, {kind: embedding, of: fixed_points}]\n",
        (
            "4:26: analyses[1] (embedding_fixed_points) needs Distances; "
            "'fixed_points' yields FixedPoints"
        ),
    ),
    "embedding of an embedding": (
        HEAD + "analyses: [{kind: pairs, metric: cka}, {kind: embedding, of: cka}, "
        "{kind: embedding, of: embedding_cka, name: again}]\n",
        "4:68: analyses[2] (again) needs Distances; 'embedding_cka' yields Coordinates",
    ),
    "analysis of another task": (
        HEAD + "analyses:\n  - oscillations\n  - {kind: point_geometry, of: oscillations}\n",
        "5:5: analyses[0] (oscillations) applies to none of the tasks of this study: flip_flop",
        (
            "6:5: analyses[1] (point_geometry_oscillations) applies to none of the tasks of this "
            "study: flip_flop"
        ),
    ),
    "analysis of a task that is not there": (
        HEAD + "analyses:\n  - {kind: fixed_points, tasks: [flip_flip]}\n",
        (
            "5:33: analyses[0].tasks lists 'flip_flip'; tasks of this study: flip_flop; did you "
            "mean 'flip_flop'?"
        ),
    ),
    "claim that needs an analysis that is not asked for": (
        HEAD + "analyses: [{kind: pairs, metric: svcca}]\n"
        "claims:\n  - {kind: geometry_depends_on, of: svca, factor: cell}\n  - cube\n",
        (
            "6:5: claims[0] (svca_depends_on_cell) needs the analysis 'svca', which is not asked "
            "for: add it to analyses; asked for: svcca; did you mean 'svcca'?"
        ),
        (
            "7:5: claims[1] (cube) needs the analysis 'fixed_points', which is not asked for: add "
            "it to analyses; asked for: svcca"
        ),
    ),
    "claim that reads something else": (
        HEAD + "analyses: [{kind: pairs, metric: svcca}]\nclaims: [{kind: cube, of: svcca}]\n",
        "5:10: claims[0] (cube) needs FixedPoints; 'svcca' yields Distances",
    ),
    "claim about another task": (
        HEAD.replace("flip_flop", "sine") + "analyses: [fixed_points]\nclaims: [cube]\n",
        "5:10: claims[0] (cube) applies to none of the tasks of this study: sine",
    ),
    "claim about a factor that the grid does not know": (
        HEAD + "analyses: [{kind: pairs, metric: cka}]\n"
        "claims: [{kind: geometry_depends_on, of: cka, factor: celll}]\n",
        (
            "5:10: claims[0] (cka_depends_on_celll) is about 'celll'; fields of this grid: cell, "
            "activation, units; did you mean 'cell'?"
        ),
    ),
    "two claims of one name": (
        HEAD + "analyses: [fixed_points]\nclaims: [cube, cube]\n",
        "5:16: claims[1] is a second claim called 'cube'; give one of them a 'name'",
    ),
    "unknown claim": (
        HEAD + "claims: [cub]\n",
        (
            f"4:10: claims[0] is 'cub'; known claims: {', '.join(sorted(CLAIMS))}; "
            "did you mean 'cube'?"
        ),
    ),
    "models of no network": (
        HEAD + "report: {models: ['*-gru-*', '*-gruu-*']}\n",
        (
            "4:30: report.models[1] is '*-gruu-*', which matches no network; the first is "
            "'flip_flop-vanilla-tanh-32-s000'"
        ),
    ),
    "analysis that needs one where there is none": (
        HEAD + "analyses:\n  - {kind: embedding, of: svcca}\n",
        (
            "5:5: analyses[0] (embedding_svcca) needs the analysis 'svcca', "
            "which is not asked for: add it to analyses"
        ),
    ),
    "two analyses of one name": (
        HEAD + "analyses: [{kind: pairs, metric: cka}, {kind: pairs, metric: cka}]\n",
        "4:40: analyses[1] is a second analysis called 'cka'; give one of them a 'name'",
    ),
    "duplicate key": (
        HEAD + "training:\n  steps: 3\n  batch: x\n  steps: 4\n",
        "6:10: training.batch is 'x', a text; it should be an integer",
        "7:3: training.steps is given twice, first at line 5",
    ),
    "a list": ("- a\n", "1:1: the spec is a list; it should be a mapping"),
    "text": ("abc\n", "1:1: the spec is 'abc', a text; it should be a mapping"),
    "an empty document": ("---\n", "2:1: the spec is empty (null); it should be a mapping"),
    "everything at once, in the order of the file": (
        (
            "study: s\ntasks: [flipflop]\nnetworks: {cells: gru, unit: 1}\ntraining: {steps: 0}\n"
            "overrides: [{set: {training: {l2: x}}}]\nreprot: {}\n"
        ),
        ("2:9: tasks[0] is 'flipflop'; known tasks: " + TASK_KINDS + "; did you mean 'flip_flop'?"),
        (
            f"3:24: networks.unit is not a known key; known keys: {NETWORKS_KEYS}; "
            "did you mean 'units'?"
        ),
        "4:19: training.steps is 0; it should be at least 1",
        "5:35: overrides[0].set.training.l2 is 'x', a text; it should be a number",
        f"6:1: reprot is not a known key; known keys: {STUDY_KEYS}; did you mean 'report'?",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gives_its_message(name, tmp_path, monkeypatch):
    text, *expected = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:  # noqa: PT011 - the whole text is compared
        load_study("a.yaml")
    assert str(caught.value).split("\n") == [f"a.yaml:{line}" for line in expected]


class Either(Component):
    value: float | tuple[int, ...] | None = None
    choice: Annotated[Literal["a", "b"], "noted"] | None = None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("value: x\n", ["a:1:8: value is 'x', a text; it should be a number or a list"]),
        ("choice: c\n", ["a:1:9: choice is 'c'; known: a, b"]),
    ],
)
def test_alternatives_of_a_field_are_one_message_without_their_names(text, expected):
    document = parse_document(text, "a")
    with pytest.raises(ValidationError) as caught:  # noqa: PT011 - the whole text is compared
        Either.model_validate(document.data)
    assert [str(problem) for problem in spec_problems(caught.value, document)] == expected


def test_every_error_that_pydantic_knows_becomes_one_line():
    document = document_of({"a": 1}, "a.yaml")
    for kind in get_args(ErrorType):
        try:
            error = ValidationError.from_exception_data(
                "x", [InitErrorDetails(type=kind, loc=("a",), input=1, ctx=EveryName())]
            )
        except TypeError:
            continue
        (problem,) = spec_problems(error, document)
        assert str(problem).startswith("a.yaml: a "), kind
        assert "\n" not in str(problem)


class EveryName(dict):
    """A context with whatever name an error asks for."""


def test_sentences_are_of_errors_that_exist():
    ours = {"entry_kind_missing", "entry_type", "model_entry", "unknown_kind"}
    assert set(SENTENCES) - ours <= set(get_args(ErrorType))
