"""Workers of this machine start again if one of them is lost in its start."""

import pytest

from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.cluster import session

pytest.importorskip("distributed")


@pytest.mark.parametrize("failures", [1, session.STARTS])
def test_a_worker_that_is_lost_in_its_start_is_started_again(
    failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[int] = []

    def start(n_workers: int, **_: object) -> str:
        starts.append(n_workers)
        if len(starts) <= failures:
            raise RuntimeError("Nanny failed to start.")
        return "cluster"

    monkeypatch.setattr("distributed.LocalCluster", start)
    if failures < session.STARTS:
        assert session._start_workers(2, {}) == "cluster"
    else:
        with pytest.raises(RunError, match=r"^2 workers must start on this machine, but after 3 "):
            session._start_workers(2, {})
    assert starts == [2] * min(failures + 1, session.STARTS)
