"""Networks built by hand under distribution shifts: exact integrators, memories with all corners
and without one, and tasks of a user's own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from reference.dynamics import population

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.generalisation.analysis import GeneralisationAnalysis
from rnnstudy.analyses.generalisation.record import Generalisation
from rnnstudy.analyses.generalisation.scores import score
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.exhibit import Curves, Table
from rnnstudy.core.record import Record
from rnnstudy.population.population import Population
from rnnstudy.tasks import Shift, StaticInputs, Task, Trials
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import STREAM_NOISE, Integration
from rnnstudy.tasks.losses import MeanSquaredError
from rnnstudy.tasks.sine import Sine

STREAM = Integration(streams=1, length=20)
MEMORY = FlipFlop(length=30)


def integrator(keep: float = 1.0) -> Population:
    """One unit that adds a tenth of the stream to `keep` of what it holds."""
    weights = {"recurrent_kernel": np.array([[keep]]), "kernel": np.array([[STREAM.gain], [0.0]])}
    network = population(Vanilla(units=1, activation="linear"), [weights], 2)
    network.readout["kernel"][:] = 1.0
    return network


def memory(coupling: float) -> Population:
    """Three units that hold a bit each. Without coupling all eight corners are stable.

    A unit holds its sign against a field of up to 1.30, where tanh(3 h - 1.30) is tangent to h.
    With a coupling of 0.5 the field against a positive sign is 2 in the corner of three of them and
    at most 1 in all others. So that corner alone is lost."""
    others = np.ones((3, 3)) - np.eye(3)
    weights = {
        "recurrent_kernel": 3.0 * np.eye(3) - coupling * others,
        "kernel": 5.0 * np.eye(3),
        "bias": np.full(3, -2.0 * coupling),
    }
    network = population(Vanilla(units=3), [weights], 3)
    network.readout["kernel"] = np.eye(3)[None]
    network.readout["bias"] = np.zeros((1, 3))
    return network


def run(network: Population, task: Task, trials: int = 64) -> Generalisation:
    (record,) = GeneralisationAnalysis(trials=trials).run(network, task)
    return record


def test_the_error_of_an_exact_integrator_grows_with_the_square_root_of_time() -> None:
    record = run(integrator(), STREAM, trials=2000)
    for shift in ("longer trials", "silent delay", "evidence", "stream noise"):
        rows = record.rows(shift)
        np.testing.assert_allclose(record.last_error[rows], 0.0, atol=1e-5, err_msg=shift)
    rows = record.rows("noisy delay")
    steps = STREAM.length * record.value[rows]
    expected = STREAM.gain * STREAM_NOISE * STREAM.sigma * np.sqrt(steps)
    # The standard error of a root mean square of 2,000 normal numbers is 1.6 %.
    np.testing.assert_allclose(record.last_error[rows], expected, rtol=0.06, atol=1e-5)
    assert (np.diff(record.last_error[rows]) > 0.0).all()


def test_the_context_is_no_part_of_such_an_integrator() -> None:
    record = run(integrator(), STREAM)
    np.testing.assert_allclose(record.accuracy[record.rows("context strength")], 1.0, atol=1e-6)


def test_a_leaky_integrator_forgets_during_a_delay() -> None:
    record = run(integrator(keep=0.98), STREAM, trials=500)
    rows = record.rows("silent delay")
    assert record.accuracy[rows[0]] > 0.9
    assert (np.diff(record.accuracy[rows]) < 0.0).all()
    start = record.last_error[rows[0]]
    # After 100 steps 0.13 of the integral remains.
    assert record.last_error[rows[-1]] > 3.0 * start


def test_a_memory_with_all_corners_keeps_all_words() -> None:
    record = run(memory(0.0), MEMORY, trials=300)
    rows = record.rows("silent delay")
    assert record.words[rows].tolist() == [8] * 4
    assert record.kept_words[rows].tolist() == [8] * 4
    np.testing.assert_array_equal(record.accuracy[rows], 1.0)
    np.testing.assert_array_equal(record.accuracy[record.rows("longer trials")], 1.0)
    np.testing.assert_array_equal(record.kept_share[rows], 1.0)


def test_a_memory_without_a_corner_loses_that_word() -> None:
    record = run(memory(0.5), MEMORY, trials=300)
    rows = record.rows("silent delay")
    assert record.words[rows].tolist() == [8] * 4
    assert record.kept_words[rows[1:]].tolist() == [7] * 3
    # An eighth of the trials ends at the word of three positive signs, and loses at least one.
    assert (record.accuracy[rows[1:]] < 0.97).all()


def test_pulses_too_small_to_flip_a_bit_are_not_seen() -> None:
    """A unit near -1 takes an input of more than 3 to change its sign; half a pulse is 2.5."""
    record = run(memory(0.0), MEMORY, trials=300)
    accuracy = [record.accuracy_at("pulse height", height) for height in (0.5, 1.0, 2.0)]
    assert accuracy[0] < 0.9
    assert accuracy[1:] == [1.0, 1.0]
    assert np.isnan(record.accuracy_at("pulse height", 7.0))
    with pytest.raises(ValueError, match="shift must be one of longer trials, pulse probability"):
        record.rows("colour")


@pytest.mark.parametrize("task", [FlipFlop(bits=2), Integration(), Sine()])
def test_scores_against_loops(task: Task) -> None:
    generator = np.random.default_rng(0)
    trials = task.shifts()[-1].sample(task.shifts()[-1].values[1], 20)
    targets, mask = np.asarray(trials.targets), np.asarray(trials.mask)
    outputs = targets + generator.standard_normal((2, *targets.shape)).astype(np.float32)
    outputs[1, 0, 0, 0] = np.nan
    found = score(task, trials, outputs)
    errors, words = [], {}
    for trial in range(len(targets)):
        last = max(time for time in range(mask.shape[1]) if mask[trial, time])
        errors.append((outputs[0, trial, last] - targets[trial, last]) ** 2)
        correct = (np.sign(outputs[0, trial, last]) == targets[trial, last]).all()
        words.setdefault(tuple(targets[trial, last]), []).append(correct)
    assert found.last_error[0] == pytest.approx(np.sqrt(np.mean(errors)), rel=1e-5)
    if task.words:
        assert found.words.tolist() == [len(words)] * 2
        assert found.kept_words[0] == sum(np.mean(each) > 0.5 for each in words.values())
    else:
        assert found.words.tolist() == [0, 0]
    mean_error = np.mean((outputs[0] - targets) ** 2, axis=-1)
    assert found.loss[0] == pytest.approx(np.sum(mask * mean_error) / mask.sum(), rel=1e-4)
    # A network with an output that is no number has no accuracy.
    assert (found.loss[1], found.accuracy[1], found.last_error[1]) == (np.inf, 0.0, np.inf)
    assert found.kept_words[1] == 0


@dataclass(frozen=True, eq=False)
class Class(Record):
    """Record with a label, like that of a class of solutions."""

    label: str


def section_of(classes: dict[str, Record]) -> Section:
    networks = {"all": memory(0.0), "seven": memory(0.5)}
    members = [Member(name, {"cell": "vanilla", "activation": "tanh"}) for name in networks]
    records = {name: run(network, MEMORY, 100) for name, network in networks.items()}
    return Section(MEMORY, members, {}, {"generalisation": records, "kinds": classes}, {})


def test_classes_of_solutions_are_related_to_performance() -> None:
    section = section_of({"all": Class("8 corners"), "seven": Class("7 corners")})
    shown = list(GeneralisationAnalysis(classes="kinds").show(section))
    curves, errors, by_class, table = shown
    for each in (curves, errors, by_class):
        assert isinstance(each, Curves)
        assert len(dict.fromkeys(curve.panel for curve in each.curves)) == 5
    assert isinstance(by_class, Curves)
    assert isinstance(table, Table)
    assert [curve.label for curve in by_class.curves][:2] == ["8 corners", "7 corners"]
    row = table.columns["words kept, silent delay"]
    assert dict(zip(table.columns["class"], row, strict=True)) == {
        "8 corners": 1.0,
        "7 corners": 7 / 8,
    }
    assert {curve.panel for curve in by_class.curves} == set(section_shifts())
    assert "pulse probability: pulses per step and channel (training: 0.05)" in by_class.caption
    assert "silent delay: lengths of a training trial, " in by_class.caption


def section_shifts() -> list[str]:
    return [shift.name for shift in MEMORY.shifts()]


def test_without_classes_there_is_no_such_figure() -> None:
    assert len(list(GeneralisationAnalysis().show(section_of({})))) == 2
    assert list(GeneralisationAnalysis().show(Section(MEMORY, [], {}, {}, {}))) == []


class Echo(Task):
    """The output repeats the input, over a length that cannot be set."""

    inputs: int = 1
    outputs: int = 1

    @property
    def length(self) -> int:
        return 5

    def sample(self, seed: Any, trials: int) -> Trials:
        return ones(trials, self.length)

    def static_inputs(self) -> StaticInputs:
        return StaticInputs(np.zeros((1, 1)), ("no input",))


class LongEcho(Task):
    """The same over a length that can be set."""

    inputs: int = 1
    outputs: int = 1
    length: int = 5

    def sample(self, seed: Any, trials: int) -> Trials:
        return ones(trials, self.length)

    def static_inputs(self) -> StaticInputs:
        return StaticInputs(np.zeros((1, 1)), ("no input",))


def ones(trials: int, length: int) -> Trials:
    values = np.ones((trials, length, 1), np.float32)
    return Trials(values, values, np.ones((trials, length), np.float32))


class BadEcho(Echo):
    """Its shift has trials without targets."""

    def shifts(self) -> list[Shift]:
        def sample(value: float, trials: int) -> Trials:
            return self.sample(None, trials)._replace(targets=np.ones((trials, 5, 2)))

        return [Shift("louder", "volume", (2.0,), sample)]


def test_a_task_without_shifts_is_left_out() -> None:
    analysis = GeneralisationAnalysis()
    assert not analysis.applies(Echo())
    assert [shift.name for shift in LongEcho().shifts()] == ["longer trials"]
    assert analysis.applies(LongEcho())
    network = population(Vanilla(units=1, activation="linear"), [{"kernel": np.ones((1, 1))}], 1)
    with pytest.raises(ValueError, match=r"task echo must have distribution shifts, got none\."):
        analysis.run(network, Echo())
    with pytest.raises(ValueError, match=r"badecho: trials of the shift 'louder' must have inputs"):
        analysis.run(network, BadEcho())
    record = run(network, LongEcho())
    assert record.value.tolist() == [1.0, 2.0, 5.0]


def test_the_last_error_is_that_of_known_targets() -> None:
    task = FlipFlop(bits=2, length=3, loss=MeanSquaredError(partial_targets=True))
    inputs, mask = np.zeros((2, 3, 2), np.float32), np.ones((2, 3), np.float32)
    targets = np.zeros((2, 3, 2), np.float32)
    targets[0, -1, 0] = np.nan
    outputs = np.ones((1, 2, 3, 2))
    outputs[0, 0, -1] = 9.0, 2.0
    # The errors of the last step are 2 (of 0), 1 and 1.
    scores = score(task, Trials(inputs, targets, mask), outputs)
    assert scores.last_error == pytest.approx(np.sqrt((4.0 + 1.0 + 1.0) / 3.0))
    assert np.isfinite(scores.loss).all()
