"""PyTorch's own modules, their outputs and fixed points against those of their Keras models."""

import numpy as np
import pytest
from scipy.optimize import root

import rnnstudy

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

INPUTS, UNITS, OUTPUTS = 2, 5, 3
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6}


class Net(nn.Module):
    """A recurrent part and a readout of all times, or of the last one."""

    def __init__(self, rnn, outputs=OUTPUTS, last=False, squash=None, head=None):
        super().__init__()
        self.rnn, self.last = rnn, last
        self.fc = head or nn.Linear(rnn.hidden_size, outputs)
        self.squash = squash

    def forward(self, x):
        states, _ = self.rnn(x)
        if self.last:
            states = states[:, -1] if self.rnn.batch_first else states[-1]
        outputs = self.fc(states)
        return outputs if self.squash is None else self.squash(outputs)


class Cells(nn.Module):
    """Two cells in a loop over time, with their last states as a second result."""

    def __init__(self, kind):
        super().__init__()
        self.first, self.second = kind(INPUTS, UNITS), kind(UNITS, UNITS)
        self.fc = nn.Linear(UNITS, OUTPUTS)
        self.is_lstm = kind is nn.LSTMCell

    def forward(self, x):
        one = two = None
        outputs = []
        for now in x.unbind(1):
            one = self.first(now, one)
            two = self.second(one[0] if self.is_lstm else one, two)
            outputs.append(self.fc(two[0] if self.is_lstm else two))
        return torch.stack(outputs, 1), two


KINDS = {
    "rnn": lambda **options: nn.RNN(INPUTS, UNITS, **options),
    "relu": lambda **options: nn.RNN(INPUTS, UNITS, nonlinearity="relu", **options),
    "gru": lambda **options: nn.GRU(INPUTS, UNITS, **options),
    "lstm": lambda **options: nn.LSTM(INPUTS, UNITS, **options),
}


def made(build, seed=0, dtype=torch.float64, scale=None):
    """A module with random weights. scale: their standard deviation, PyTorch's own without."""
    torch.manual_seed(seed)
    module = build().to(dtype)
    if scale is not None:
        with torch.no_grad():
            for weight in module.parameters():
                weight.copy_(scale * torch.randn_like(weight))
    return module


def sequences(time=4, dtype=torch.float64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((3, time, INPUTS), generator=generator, dtype=torch.float64).to(dtype)


def assert_equal(values, expected, dtype):
    values, expected = np.asarray(values), expected.detach().numpy()
    assert values.shape == expected.shape
    assert np.abs(values - expected).max() <= TOLERANCE[dtype] * np.abs(expected).max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options",
    [
        {"batch_first": True},
        {"num_layers": 2, "dropout": 0.5, "batch_first": True},
        {"num_layers": 2, "bias": False},
    ],
)
def test_a_module_and_its_model_have_equal_outputs(kind, options, dtype):
    module = made(lambda: Net(KINDS[kind](**options)), dtype=dtype)
    before = [part.training for part in module.modules()]
    model = rnnstudy.from_torch(module)
    assert [part.training for part in module.modules()] == before
    x = sequences(time=1 if dtype == torch.float32 else 4, dtype=dtype)
    module.eval()
    expected = module(x) if options.get("batch_first") else module(x.swapaxes(0, 1)).swapaxes(0, 1)
    assert_equal(model(x.numpy()), expected, dtype)


class Encoded(Net):
    """A network whose inputs pass a linear layer and a nonlinearity."""

    def __init__(self, activation, inputs=4):
        super().__init__(KINDS["gru"](batch_first=True))
        self.enc, self.activation = nn.Linear(inputs, INPUTS), activation

    def forward(self, x):
        return super().forward(self.activation(self.enc(x)))


@pytest.mark.parametrize("activation", [nn.Identity(), torch.relu, nn.Tanh()])
def test_a_linear_encoder_is_taken_along(activation):
    module = made(lambda: Encoded(activation))
    x = torch.randn((3, 4, 4), dtype=torch.float64)
    assert_equal(rnnstudy.from_torch(module)(x.numpy()), module(x), torch.float64)


def test_another_encoder_is_refused_with_what_is_taken_along():
    with pytest.raises(ValueError, match="Before them one Linear is taken along, also with relu"):
        rnnstudy.from_torch(made(lambda: Encoded(torch.sigmoid)))


def test_modules_are_joined_in_a_population():
    modules = [made(lambda: Net(KINDS["gru"](batch_first=True)), seed) for seed in (0, 1)]
    population = rnnstudy.Population.from_models(modules)
    outputs = population.outputs_of(population.unroll(sequences().numpy()))
    for member, module in enumerate(modules):
        assert_equal(outputs[member], module(sequences()), torch.float64)
    with pytest.raises(ValueError, match="must have one outputs, got 3 for PyTorch module Net and"):
        rnnstudy.Population.from_models([modules[0], made(lambda: Net(modules[0].rnn, outputs=1))])
    with pytest.raises(ValueError, match="must begin with its recurrent layer to be one of a pop"):
        rnnstudy.Population.from_models([made(lambda: Encoded(torch.relu))])


def test_a_recurrent_layer_alone_has_its_units_as_outputs():
    module = made(lambda: nn.GRU(INPUTS, UNITS, batch_first=True))
    assert_equal(
        rnnstudy.from_torch(module)(sequences().numpy()), module(sequences())[0], torch.float64
    )


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_cells_alone_and_in_a_loop_have_equal_outputs(kind):
    module = made(lambda: Cells(kind))
    assert_equal(
        rnnstudy.from_torch(module)(sequences().numpy()), module(sequences())[0], torch.float64
    )
    x = sequences(time=1)
    new = module.first(x[:, 0])
    expected = new[0] if kind is nn.LSTMCell else new
    assert_equal(rnnstudy.from_torch(module.first)(x.numpy())[:, 0], expected, torch.float64)


def test_the_readout_is_that_of_the_outputs():
    module = made(lambda: Net(KINDS["gru"](batch_first=True), last=True))
    module.other = nn.Linear(UNITS, OUTPUTS).double()
    outputs = rnnstudy.from_torch(module)(sequences().numpy())
    assert_equal(outputs[:, -1], module(sequences()), torch.float64)


def test_effective_values_of_parametrised_weights_are_taken():
    module = made(lambda: Net(KINDS["gru"](batch_first=True)))
    nn.utils.parametrizations.weight_norm(module.rnn, "weight_hh_l0")
    assert_equal(
        rnnstudy.from_torch(module)(sequences().numpy()), module(sequences()), torch.float64
    )


def test_a_state_dict_has_the_outputs_of_its_module():
    module = made(lambda: Net(KINDS["lstm"](batch_first=True)), dtype=torch.float32)
    x = sequences(time=1, dtype=torch.float32)
    model = rnnstudy.from_torch(module.state_dict())
    assert_equal(model(x.numpy()), module(x), torch.float32)
    model = rnnstudy.from_torch(module.bfloat16().state_dict())
    assert_equal(model(x.numpy()), module.float()(x), torch.float32)


@pytest.mark.parametrize(
    ("build", "options", "message"),
    [
        (lambda: nn.GRU(2, 3, bidirectional=True), {}, "in one direction, got both. Wrap one step"),
        (lambda: nn.LSTM(2, 3, proj_size=2), {}, "must have no projection, got proj_size"),
        (lambda: nn.Linear(2, 3), {}, "Linear must have an nn.RNN, nn.GRU or nn.LSTM"),
        (
            lambda: Net(KINDS["gru"](batch_first=True), squash=torch.tanh),
            {},
            r"its parts compute \(PyTorch module GRU, Linear 'fc'\), got other outputs. Before",
        ),
        (
            lambda: Net(KINDS["gru"](), head=nn.Linear(UNITS + 1, 1)),
            {},
            "must compute what its parts compute .*, got 'mat1 and mat2 shapes cannot",
        ),
        (lambda: Net(KINDS["gru"]()), {"activation": "relu"}, "must be None for a module"),
        (lambda: Net(KINDS["gru"]()), {"layer": "rn"}, r"\(rnn\), got 'rn'"),
        (lambda: Net(KINDS["gru"]()), {"readout": "rnn"}, r"\(fc\), got 'rnn'"),
    ],
)
def test_other_modules_are_refused_in_a_sentence(build, options, message):
    with pytest.raises(ValueError, match=message):
        rnnstudy.from_torch(made(build), **options)


def test_parts_of_a_module_are_taken_by_name():
    module = made(lambda: Net(KINDS["gru"](batch_first=True), squash=torch.tanh))
    model = rnnstudy.from_torch(module, layer="rnn", readout="fc")
    assert_equal(np.tanh(model(sequences().numpy())), module(sequences()), torch.float64)


SEARCH = rnnstudy.FixedPointSearch(rounds=2, candidates=32)


def step_of(module):
    """PyTorch's own map of a single-layer module's state at zero inputs, and the state's size."""
    rnn = module.rnn
    is_lstm = isinstance(rnn, nn.LSTM)

    def step(state):
        h = torch.tensor(state, dtype=torch.float64).reshape(1, 1, -1)
        x = torch.zeros((1, 1, INPUTS), dtype=torch.float64)
        with torch.no_grad():
            if not is_lstm:
                return rnn(x, h)[1].numpy().ravel()
            new = rnn(x, (h[..., :UNITS].contiguous(), h[..., UNITS:].contiguous()))[1]
            return torch.cat(new, -1).numpy().ravel()

    return step, UNITS * (2 if is_lstm else 1)


def assert_fixed_points_of_scipy(module, starts=24):
    """The points of rnnstudy are roots of PyTorch's map, and hold every root that SciPy finds."""
    points = rnnstudy.find_fixed_points(module, search=SEARCH)
    step, size = step_of(module.double())
    assert len(points.state)
    for state in points.state:
        assert np.abs(step(state) - state).max() < 1e-9
        refined = root(lambda h: step(h) - h, state, tol=1e-13).x
        assert np.abs(refined - state).max() < 1e-8
    draw = np.random.default_rng(0)
    found = 0
    for _ in range(starts):
        solved = root(lambda h: step(h) - h, draw.uniform(-1, 1, size), tol=1e-12)
        if solved.success and np.abs(step(solved.x) - solved.x).max() < 1e-10:
            assert np.abs(points.state - solved.x).max(axis=1).min() < 1e-6
            found += 1
    assert found


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_fixed_points_are_those_of_scipy_on_pytorch(kind):
    module = made(lambda: Net(KINDS[kind](batch_first=True)), dtype=torch.float32, scale=0.9)
    assert_fixed_points_of_scipy(module)


def trained(kind, seed):
    """A module after some steps of a one-bit memory."""
    module = made(lambda: Net(KINDS[kind](batch_first=True), outputs=1), seed, torch.float32)
    optimiser = torch.optim.Adam(module.parameters(), 1e-2)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(150):
        pulses = (torch.rand((32, 20, 1), generator=generator) < 0.2).float()
        signs = 2.0 * (torch.rand((32, 20, 1), generator=generator) < 0.5).float() - 1.0
        x = torch.cat([pulses * signs, torch.zeros_like(pulses)], -1)
        targets = torch.zeros_like(pulses)
        for t in range(20):
            last = targets[:, t - 1] if t else targets[:, 0]
            targets[:, t] = torch.where(pulses[:, t] > 0, signs[:, t], last)
        optimiser.zero_grad()
        ((module(x) - targets) ** 2).mean().backward()
        optimiser.step()
    return module


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_random_and_six_trained_networks(kind):
    builds = [
        lambda: Net(KINDS[kind](batch_first=True)),
        lambda: Net(KINDS[kind](batch_first=True, num_layers=2)),
    ]
    if kind != "relu":
        builds.append(lambda: Cells(getattr(nn, f"{kind.upper()}Cell")))
    networks = [
        made(builds[seed % len(builds)], seed, torch.float32, scale)
        for seed in range(50)
        for scale in (None, 0.7)
    ]
    networks += [trained(kind, seed) for seed in range(6)]
    for seed, module in enumerate(networks):
        for dtype in (torch.float32, torch.float64):
            module = module.to(dtype)
            x = sequences(time=1, dtype=dtype, seed=seed)
            result = module(x)
            expected = result[0] if isinstance(result, tuple) else result
            assert_equal(rnnstudy.from_torch(module)(x.numpy()), expected, dtype)
    if kind != "relu":
        single = [n for n in networks if isinstance(n, Net) and n.rnn.num_layers == 1]
        for module in [*single[:6], *networks[-6:]]:
            assert_fixed_points_of_scipy(module, starts=8)
