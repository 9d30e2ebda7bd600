"""Cluster of a run: a scheduler and its workers, for as long as the run needs them."""

import logging
import uuid
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from rnnstudy.core.batches import available_memory
from rnnstudy.core.threads import available_cores
from rnnstudy.study.errors import RunError, error_sentence
from rnnstudy.study.execution.cluster import remote
from rnnstudy.study.execution.cluster.dask_executor import DaskExecutor, supply_of
from rnnstudy.study.execution.cluster.orders import Order, Packer
from rnnstudy.study.execution.worker import JobResult, ProgressListener
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.spec.options import BatchCluster, Runtime
from rnnstudy.study.store import Store

logger = logging.getLogger("rnnstudy")

CONNECT = 30.0
"""Seconds until a scheduler must answer."""

STARTS = 3
"""Attempts to start the workers of this machine."""

SPARE = 120
"""Seconds before the end of a batch job at which its worker stops."""


class ClusterSession:
    """Cluster of a run. It starts with the first plan that has something to do.

    Parameters
    ----------
    runtime
        Options of the run; `cluster` names the cluster.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime, self.run = runtime, uuid.uuid4().hex[:12]
        self._client: Any = None
        self._stack = ExitStack()

    def __enter__(self) -> "ClusterSession":
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection, and the cluster if this session has started it."""
        self._client = None
        self._stack.close()

    def execute(self, plan: Plan, store: Store, listener: ProgressListener) -> list[JobResult]:
        """Run the jobs of a plan on the cluster."""
        client = self._connect(listener)
        level = logger.getEffectiveLevel()
        store.create()
        order = Order.of_plan(plan, store, self.runtime, self.run, level)
        supply = self._supply(client)
        with DaskExecutor(client, order, Packer(plan.index), listener, supply) as executor:
            if level <= logging.INFO:
                client.forward_logging("rnnstudy", level=level)
            try:
                return executor.execute(plan)
            except KeyboardInterrupt:
                executor.stop()
                raise

    def _connect(self, listener: ProgressListener) -> Any:
        """Return the client of Dask, connected at the first call."""
        if self._client is None:
            _require_dask()
            self._stack.enter_context(_quiet())
            cluster = self.runtime.cluster
            if isinstance(cluster, BatchCluster):
                opened = _batch(cluster)
            elif str(cluster).startswith("local"):
                opened = _local(str(cluster), self.runtime)
            else:
                opened = _remote(str(cluster))
            self._client = self._stack.enter_context(opened)
            self._client.register_plugin(_closing_plugin(), name="rnnstudy")
            listener.on_message(f"Dashboard: {self._client.dashboard_link}")
        return self._client

    def _supply(self, client: Any) -> dict[str, float]:
        cluster = self.runtime.cluster
        if isinstance(cluster, BatchCluster):
            return cluster.supply  # its workers may not be there yet
        return supply_of(client, CONNECT)


def _require_dask() -> None:
    try:
        import dask_jobqueue  # noqa: F401
        import distributed  # noqa: F401
    except ImportError:
        raise RunError(
            "a cluster needs Dask, which is not installed. Run: pip install 'rnnstudy[cluster]'"
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress messages of Dask: lost workers and schedulers are reported by this package."""
    import distributed  # noqa: F401 - it sets up its loggers

    loggers = [logging.getLogger(name) for name in ("distributed", "tornado", "asyncio", "bokeh")]
    levels = [each.level for each in loggers]
    shown = logging.DEBUG if logger.isEnabledFor(logging.DEBUG) else logging.CRITICAL
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each in loggers:
            each.setLevel(max(shown, logging.WARNING))
        try:
            yield
        finally:
            for each, level in zip(loggers, levels, strict=True):
                each.setLevel(level)


@contextmanager
def _local(text: str, runtime: Runtime) -> Iterator[Any]:
    """Start worker processes on this machine, each for one job at a time."""
    import dask
    from distributed import Client

    gpus = remote.visible_gpus()
    count = int(text.partition(":")[2] or len(gpus) or available_cores())
    memory = int((runtime.memory or available_memory() / 2**30) * 2**30 / count)
    resources = {"memory": memory, **({"GPU": 1} if gpus else {})}
    settings = {"distributed.scheduler.allowed-failures": 0}
    with (
        dask.config.set(settings),
        _start_workers(count, resources) as cluster,
        Client(cluster, timeout=CONNECT) as client,
    ):
        yield client


def _start_workers(count: int, resources: dict[str, int]) -> Any:
    """Return a cluster of worker processes, started anew if one of them is lost in its start."""
    from distributed import LocalCluster

    attempt = 1
    while True:
        try:
            return LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                memory_limit=None,
                resources=resources,
                silence_logs=logging.CRITICAL,
            )
        except (RuntimeError, OSError) as error:
            if attempt == STARTS:
                raise RunError(
                    f"{count} workers must start on this machine, but after {STARTS} attempts they "
                    f"do not ({error_sentence(error)}). Is there memory for all of them?"
                ) from None
        attempt += 1
        logger.warning("a worker was lost in its start; all are started again")


@contextmanager
def _remote(address: str) -> Iterator[Any]:
    """Connect to a scheduler that the user has started."""
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT)
    except (OSError, ValueError) as error:
        raise RunError(
            f"the scheduler at {address} must answer within {CONNECT:.0f} s, but it did not "
            f"({type(error).__name__}). Start one with: dask scheduler"
        ) from None
    with client:
        yield client


@contextmanager
def _batch(cluster: BatchCluster) -> Iterator[Any]:
    """Submit workers as jobs of a batch scheduler: as many as there is work for."""
    import dask
    from distributed import Client

    settings = {"distributed.scheduler.allowed-failures": 0}
    with dask.config.set(settings), _queue(cluster) as queue:
        logger.debug("%s", queue.job_script())
        # Durations of jobs are unknown before. One worker for each waiting job, up to the limit.
        queue.adapt(
            minimum=0,
            maximum=cluster.workers,
            target_duration="100ms",
            interval="2s",
            wait_count=15,
        )
        with Client(queue, timeout=CONNECT) as client:
            yield client


def _queue(cluster: BatchCluster) -> Any:
    import dask_jobqueue

    kind = getattr(dask_jobqueue, f"{cluster.kind.upper()}Cluster")
    try:
        return kind(**cluster.queue_options(SPARE))
    except (TypeError, ValueError, OSError) as error:
        raise RunError(
            f"runtime.cluster must be options of dask_jobqueue.{kind.__name__}, got: {error}"
        ) from None


def _closing_plugin() -> Any:
    """Return a plugin of Dask by which a worker that closes lets its jobs end at a pause."""
    from rnnstudy.study.execution.cluster.closing import Closing

    return Closing()
