"""Order before any test: one thread per operation, quiet start-up, the same seeds for each test."""

import os
import shutil
import tempfile

# TensorFlow reports an error for each compiled program that it reads from a file, and reads it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
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

PROGRAMS = "--tf_xla_persistent_cache_directory"
"""Option of TensorFlow: the folder of programs that XLA has compiled."""

_programs = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Let all processes of a run share their programs, so that XLA compiles each once.

    The folder ends with the run. A later one may have another TensorFlow or processor.
    """
    options = os.environ.get("TF_XLA_FLAGS", "")
    if PROGRAMS in options:
        return
    config.stash[_programs] = folder = tempfile.mkdtemp(prefix="rnnstudy-tests-")
    devices = "--tf_xla_persistent_cache_device_types=CPU"
    os.environ["TF_XLA_FLAGS"] = f"{options} {PROGRAMS}={folder} {devices}".strip()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the programs."""
    if _programs in config.stash:
        shutil.rmtree(config.stash[_programs], ignore_errors=True)


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
