"""Which form of the training program is used where."""

from collections.abc import Sequence
from typing import Literal

from rnnstudy.cells import Cell
from rnnstudy.lazy import tf

Kernel = Literal["by_member", "together"]
"""`by_member`: member after member, compiled by XLA; `together`: all members in one batch of
products, as a TensorFlow graph."""


def kernel_for(cell: Cell, device: str) -> Kernel:
    """The form that a cohort of this cell trains in on a kind of device (`CPU` or `GPU`)."""
    return "by_member" if device == "CPU" else "together"


def device_kind(devices: Sequence[str] = ()) -> str:
    """What TensorFlow computes on: the kind of the named devices, else `GPU` if it sees one."""
    if devices:
        return devices[0].partition(":")[0]
    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
