"""The simulated study of tools/bench/scale.py, and that a report reads each result once."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.core.record import Record
from rnnstudy.report.build import page
from rnnstudy.report.fingerprint import fingerprint_of
from rnnstudy.study.results import run as results
from rnnstudy.study.results.run import open_run
from rnnstudy.study.store import Store

BENCH = str(Path(__file__).parents[1] / "tools" / "bench")
SIZES = (16, 1, 4, True)


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    sys.path.append(BENCH)
    import scale
    import stages

    yield {"scale": scale, "stages": stages}
    sys.path.remove(BENCH)


@pytest.fixture(scope="module")
def folder(bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    stages = bench["stages"]
    jobs = stages.check(stages.Sizes(*SIZES), folder)["jobs"]
    assert stages.execute(stages.Sizes(*SIZES), folder)["jobs"] == jobs
    return folder


def test_all_stages_run(bench: Any, folder: Path) -> None:
    stages = bench["stages"]
    later = [name for name in stages.STAGES if name not in ("check", "execute")]
    assert later == [name for name in bench["scale"].STAGES if name not in ("check", "execute")]
    found = {name: stages.STAGES[name](stages.Sizes(*SIZES), folder) for name in later}
    assert found["members"]["rows"] == found["rerun"]["rows"] == 16
    assert found["status"] == {"left": 0, "rows": 16, "claims": 1}
    assert json.loads((folder / "provenance.json").read_text()) == {"failures": []}


def test_a_report_reads_each_result_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, keys = Store.read, Counter[str]()

    def count(store: Store, key: str, kind: type[Record]) -> Record:
        keys[key] += kind is not Evidence  # one over all networks may be that over solved ones
        return read(store, key, kind)

    monkeypatch.setattr(Store, "read", count)
    page(open_run(folder))
    assert len(keys) > 16 * 4
    assert set(keys.values()) <= {0, 1}


def test_a_report_of_more_records_than_memory_is_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = fingerprint_of(page(open_run(folder)))
    monkeypatch.setattr(results, "KEPT_BYTES", 0)
    assert fingerprint_of(page(open_run(folder))) == everything


def test_results_at_one_time_stay_as_they_were(folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(folder, tmp_path / "copy")
    run = open_run(tmp_path / "copy")
    before = run.at_one_time()
    member = before.members["member"][0]
    assert before.at_one_time() is before
    run.store.remove(run.key(member))
    assert not run.store.has(run.key(member))
    assert before.store.has(run.key(member))
    assert (before.members["status"] == "trained").all()


def test_growth_beyond_the_largest_size(bench: Any) -> None:
    def stage(networks: int, seconds: float) -> dict[str, Any]:
        found = {"stage": "plan", "networks": networks, "seconds": seconds, "cpu": seconds}
        return {**found, "bytes": networks * 2**10 + 2**27}

    row = bench["scale"].table([stage(1000, 1.0), stage(2000, 2.0)]).splitlines()[-1]
    assert "| 1.0 s | 2.0 s | 1 | n^1.0 | 100 s | 130 | 1.0 | 0.2 |" in row
    row = bench["scale"].table([stage(1000, 1.0), stage(2000, 4.0)]).splitlines()[-1]
    assert "n^2.0" in row


def test_wrong_numbers_of_networks_are_refused(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        bench["scale"].main(["--networks", "17", "--tasks", "1"])
    assert "17 networks are not a multiple of 8 per task" in capsys.readouterr().err
