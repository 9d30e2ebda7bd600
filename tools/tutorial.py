"""Train a Keras LSTM on two bits, find its fixed points, and write lstm.png and lstm.html."""

import keras
import numpy as np

import rnnstudy

rng = np.random.default_rng(0)
pulses = rng.choice([-1.0, 0.0, 1.0], size=(2048, 50, 2), p=[0.05, 0.9, 0.05])
pulses[:, 0] = rng.choice([-1.0, 1.0], size=(2048, 2))
last = np.maximum.accumulate(np.where(pulses != 0, np.arange(50)[:, None], 0), axis=1)
memory = np.take_along_axis(pulses, last, axis=1)  # the latest pulse of each channel

keras.utils.set_random_seed(0)
lstm = keras.layers.LSTM(24, return_sequences=True)
model = keras.Sequential([keras.Input((None, 2)), lstm, keras.layers.Dense(2)])
model.compile(keras.optimizers.Adam(1e-2), "mse")
model.fit(pulses, memory, epochs=30, batch_size=64, verbose=0)

fps = rnnstudy.find_fixed_points(model)
print(fps)  # noqa: T201
states = keras.ops.convert_to_numpy(lstm(pulses[:8]))
rnnstudy.plot(fps, trajectories=states).savefig("lstm.png", dpi=200, bbox_inches="tight")
rnnstudy.plot(fps, trajectories=states, interactive=True).write_html("lstm.html")
