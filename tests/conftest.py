"""Order before any test: one thread per operation, quiet start-up, the same seeds for each test."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("MPLBACKEND", "Agg")

import importlib.util
import random
import signal
import sys
from collections.abc import Iterator

import numpy as np
import pytest

if importlib.util.find_spec("triton"):
    # Tests import TensorFlow before PyTorch. After TensorFlow, the import of Triton ends a process.
    importlib.import_module("triton")


@pytest.fixture(autouse=True)
def _seeds() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - for third-party code that draws from it


@pytest.fixture(autouse=True)
def _no_permission() -> Iterator[None]:
    """Withdraw the permission of `--allow-plugins` after each test: it holds for a process."""
    yield
    plugins = sys.modules.get("rnnstudy.core.source.plugins")
    if plugins is not None:
        plugins._process.clear()


@pytest.fixture
def plugins() -> Iterator[None]:
    """Allow the import of modules that a spec names, for the time of a test."""
    from rnnstudy.core.source import plugins

    before = set(plugins._packages)
    with plugins.plugin_permission():
        yield
    plugins._packages.intersection_update(before)


@pytest.fixture
def sigint_interrupts() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt in the test and in the processes that it starts.

    A process that a script starts with `&` ignores SIGINT, and so do its children.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
