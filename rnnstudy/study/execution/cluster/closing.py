"""Plugin of Dask's workers. Only this module needs Dask at its import."""

import signal
import threading
from typing import Any

from distributed.diagnostics.plugin import WorkerPlugin

from rnnstudy.study.execution.cluster import remote


class Closing(WorkerPlugin):  # type: ignore[misc]
    """Plugin by which a worker that closes lets its jobs end at their next pause.

    A worker closes when its scheduler is lost, when its time is over, and at SIGTERM. A terminal
    and batch schedulers send signals to all processes of a group. The parent of a worker, its
    nanny, reacts to them and closes the worker. So the worker itself ignores them.
    """

    def setup(self, worker: Any) -> None:
        """Leave signals to the parent process, if there is one."""
        if worker.nanny and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def teardown(self, worker: Any) -> None:
        """Stop the jobs of this process."""
        remote.stop_process()
