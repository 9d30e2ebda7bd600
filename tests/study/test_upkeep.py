"""Upkeep of a store: its index, sizes, verification, repetition, and removal of leftovers."""

import csv
import json
import os
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from resealed import reseal
from study import test_mutated_records as mutated
from typer.testing import CliRunner

from rnnstudy import runner
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.cli import commands
from rnnstudy.cli.commands import app
from rnnstudy.cli.upkeep import clean_lines, size_line, verify_lines
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.record import Record
from rnnstudy.core.storage.errors import CorruptRecord
from rnnstudy.report.explorer.files import contents as explorer_contents
from rnnstudy.report.explorer.records import explorer_of
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.leases import LEASES
from rnnstudy.study.results.run import Run, open_run
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import DAMAGED
from rnnstudy.study.upkeep.damage import damage_in_words
from rnnstudy.study.upkeep.recompute import compare_records, recompute
from rnnstudy.study.upkeep.references import references_of
from rnnstudy.study.upkeep.sizes import byte_label, sizes_of
from rnnstudy.study.upkeep.verify import verify

SPEC: dict[str, Any] = {
    "study": "kept",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12}],
    "networks": {"cells": "vanilla", "units": 4, "seeds": 2},
    "training": {"steps": 2, "batch": 4},
    "analyses": [
        {"kind": "pairs", "metric": {"kind": "svcca", "dimensions": 2}, "networks": "trained"},
        {"kind": "evaluation", "networks": "trained"},
    ],
    "report": {"formats": "svg"},
    "runtime": {"workers": 1},
}

MEMBER = "flip_flop-vanilla-tanh-4-s000"


def study(**changes: Any) -> Study:
    return study_of({**SPEC, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("finished") / "run"
    runner.run(study(), directory)
    return directory


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Run:
    return open_run(shutil.copytree(finished, tmp_path / "run"))


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def matrix_key(run: Run) -> str:
    return run.index.shared["svcca", "flip_flop"].address(run.store)


def test_the_index_says_what_each_address_holds(run: Run) -> None:
    with open(run.store.root / "index.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["address"] for row in rows] == sorted(run.store.keys())
    holds = {row["address"]: (row["holds"], row["tag"]) for row in rows}
    assert holds[run.key(MEMBER)] == (f"network {MEMBER}", "trained_networks")
    assert holds[matrix_key(run)] == ("svcca flip_flop (2 networks)", "distances")
    activity = Representations().key(run.key(MEMBER))
    assert holds[activity] == (f"representations of {MEMBER}", "activity")
    assert all(row["holds"] for row in rows)
    assert all(int(row["bytes"]) == run.store.size(row["address"]) for row in rows)


@pytest.mark.slow
def test_studies_that_share_a_store_share_its_index(tmp_path: Path) -> None:
    runtime = {"workers": 1, "store": str(tmp_path / "shared")}
    plain = {"analyses": [], "runtime": runtime}
    first = runner.run(study(**plain), tmp_path / "a")
    runner.run(study(**plain, networks={**SPEC["networks"], "seeds": 3}), tmp_path / "b")
    text = (tmp_path / "shared" / "index.csv").read_text()
    assert text.count("network flip_flop") == 3
    only_first = [line for line in clean_lines([first], delete=False) if "spec refers" in line]
    assert "3 folders" in only_first[0]  # network, outcome and activity of the third network
    both = [open_run(tmp_path / name) for name in "ab"]
    assert list(clean_lines(both, delete=True)) == ["Nothing to clean"]
    with pytest.raises(RunError, match="must have the store"):
        list(clean_lines([first, runner.run(study(analyses=[]), tmp_path / "c")], delete=False))


def test_sizes_are_those_of_the_files(run: Run) -> None:
    sizes = sizes_of(run)
    assert {"networks", "svcca", "representations", "evaluation", "report"} <= sizes.keys()
    assert sizes["networks"][0] == 4  # with outcomes
    records = sum(size for part, (_, size) in sizes.items() if part not in ("report", "models"))
    assert records == sum(map(run.store.size, run.store.keys()))
    assert size_line(run).startswith("Size: ")
    (run.store.root / "index.csv").unlink()
    assert sizes_of(run) == sizes


@pytest.mark.parametrize(
    ("number", "label"),
    [(0, "0 B"), (999, "999 B"), (1234, "1.2 kB"), (123_456, "123 kB"), (999_600, "1.0 MB"),
     (2_500_000_000, "2.5 GB"), (10**15, "1000.0 TB")],
)  # fmt: skip
def test_bytes_have_a_unit(number: int, label: str) -> None:
    assert byte_label(number) == label


def test_a_whole_run_is_verified_without_a_change(run: Run) -> None:
    before = contents(run.directory)
    result = verify(run)
    assert result.problems == []
    assert result.unbound == []
    assert result.records == len(list(run.store.keys())) >= 8
    assert contents(run.directory) == before


def damage(run: Run, kind: str) -> None:
    store, key = run.store, matrix_key(run)
    folder, other = store.folder(key), store.folder(run.key(MEMBER))
    match kind:
        case "matrix":
            path = folder / "arrays.npz"
            path.write_bytes(path.read_bytes()[:-1] + b"x")
        case "exchange":
            shutil.rmtree(folder)
            shutil.copytree(other, folder)
        case "shard":
            shutil.copytree(folder, other.parent / folder.name)
        case "class":
            shutil.rmtree(other)
            other.mkdir()
            for name, content in store.read(key, Record).contents(other.name).items():
                (other / name).write_bytes(content)
        case "members":
            path = run.directory / "members.csv"
            path.write_text(path.read_text().replace("trained", "diverged", 1))
        case "newer":
            reseal(folder, lambda meta: meta.update(format=9, rnnstudy="9.9"))


@pytest.mark.parametrize(
    ("kind", "words"),
    [("matrix", "svcca flip_flop .*: .*does not match its checksum"),
     ("exchange", "svcca flip_flop .*: .*holds the record of address"),
     ("shard", "lies in the folder of other addresses"),
     ("class", "must hold a TrainedNetworks, got a Distances"),
     ("members", "members.csv differs from the records of the store")],
)  # fmt: skip
def test_damage_is_named_and_nothing_is_changed(run: Run, kind: str, words: str) -> None:
    damage(run, kind)
    before = contents(run.directory)
    problems = verify(open_run(run.directory)).problems
    assert len(problems) == 1
    assert re.search(words, problems[0])
    assert contents(run.directory) == before


MUTATIONS = [mutated.flip, mutated.cut, mutated.empty, mutated.delete, mutated.delete_all,
             mutated.remove, mutated.swap_folders, mutated.copy_folder, mutated.link_folder,
             mutated.link_to_other, mutated.pipe, mutated.file_for_folder]  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("what", ["matrix", "network", "outcome"])
def test_every_mutation_is_named_by_verify(run: Run, what: str, mutation: mutated.Mutation) -> None:
    keys = {
        "matrix": matrix_key(run),
        "network": run.key(MEMBER),
        "outcome": run.index.network[MEMBER].key("outcome"),
    }
    other = Representations().key(run.key(MEMBER))
    mutation(run.store.folder(keys[what]), run.store.folder(other), random.Random(0))
    before = mutated.paths(run.directory)
    problems = verify(open_run(run.directory)).problems
    assert any(keys[what] in problem for problem in problems)
    assert mutated.paths(run.directory) == before


@pytest.mark.parametrize("what", ["matrix", "outcome", "unneeded"])
def test_a_run_after_a_deletion_leaves_nothing_to_name(run: Run, what: str) -> None:
    keys = {
        "matrix": matrix_key(run),
        "outcome": run.index.network[MEMBER].key("outcome"),
        "unneeded": "ab" * 20,
    }
    run.store.write(keys["unneeded"], run.store.read(matrix_key(run), Distances))
    (run.store.root / "index.csv").unlink()
    runner.run(run.study, run.directory)
    shutil.rmtree(run.store.folder(keys[what]))
    (problem,) = verify(open_run(run.directory)).problems
    assert f"there is no record {run.store.folder(keys[what])}, but index.csv lists it" in problem
    runner.run(run.study, run.directory)
    assert verify(open_run(run.directory)).problems == []


def test_an_index_that_cannot_be_read_is_named(run: Run) -> None:
    (run.store.root / "index.csv").write_text("x")
    (problem,) = verify(run).problems
    assert "index.csv cannot be read" in problem


def test_records_have_the_class_of_their_result(run: Run) -> None:
    """Each result that is exchanged for a record of another class, with checksums, is found."""
    references = references_of(run.study, run.store)
    records = {key: run.store.read(key, Record) for key in list(run.store.keys())}
    for key, record in records.items():
        assert type(record) is references.kind(key)
        other = next(each for each in records.values() if type(each) is not type(record))
        folder = run.store.folder(key)
        whole = {path: path.read_bytes() for path in folder.iterdir()}
        for name, content in other.contents(key).items():
            (folder / name).write_bytes(content)
        with pytest.raises(CorruptRecord, match=f"must hold a {type(record).__name__}, got a"):
            run.store.read(key, references.kind(key))
        for path, content in whole.items():
            path.write_bytes(content)


@pytest.mark.parametrize(
    ("what", "mutation"),
    [("svcca", mutated.flip), ("evaluation", mutated.flip), ("network", mutated.flip),
     ("network", mutated.pipe), ("representations", mutated.cut)],
)  # fmt: skip
def test_a_report_names_damaged_records(run: Run, what: str, mutation: mutated.Mutation) -> None:
    network = run.key(MEMBER)
    keys = {"svcca": matrix_key(run), "network": network}
    if what not in keys:
        keys[what] = run.index.records(run.index.by_title[what])[network]
    folder = run.store.folder(keys[what])
    mutation(folder, folder, random.Random(1))
    result = CliRunner().invoke(app, ["report", str(run.directory)])
    output = "".join(result.output.split())  # lines are folded
    assert result.exit_code == 1, output
    assert re.search(rf"failed:Store,Damagedrecords:.*{keys[what]}", output)
    page = (run.directory / "report" / "index.html").read_text()
    assert re.search(rf"Damaged records(.|\n)*{what}.*{keys[what]}", page)


def test_a_report_of_whole_or_absent_records_names_none(run: Run) -> None:
    assert damage_in_words(run.at_one_time()) == ""
    shutil.rmtree(run.store.folder(matrix_key(run)))
    result = CliRunner().invoke(app, ["report", str(run.directory)])
    assert result.exit_code == 0, result.output
    assert "Damaged records" not in (run.directory / "report" / "index.html").read_text()


def test_of_many_damaged_records_the_first_are_named(run: Run) -> None:
    for path in run.store.root.glob("??/*/arrays.npz"):
        path.write_bytes(b"")
    words = damage_in_words(run.at_one_time())
    assert words.count("is damaged") == 5
    assert re.search(r"; and \d+ more$", words)


def test_parts_of_the_explorer_that_raise_are_named(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no numbers")

    monkeypatch.setattr("rnnstudy.report.explorer.files.scaled_map", fail)
    monkeypatch.setattr(type(run.study.tasks[0]), "static_inputs", fail)
    explorer, faults = explorer_of(run.at_one_time()), list[str]()
    assert explorer is not None
    index = dict(explorer_contents(explorer, faults))["index"]
    assert index["networks"] == [member.name for member in run.index.members]
    reasons = [fault.partition(" (")[0] for fault in faults]
    assert reasons == [
        "map of svcca: ValueError: no numbers",
        "static inputs of flip_flop: ValueError: no numbers",
    ]


def test_a_newer_record_is_refused_by_name(run: Run) -> None:
    damage(run, "newer")
    with pytest.raises(Exception, match=r"rnnstudy 9\.9 wrote"):
        verify(open_run(run.directory))


def test_an_edited_report_is_named(run: Run) -> None:
    table = next((run.directory / "report" / "tables").glob("*.csv"))
    table.write_text(table.read_text().replace("0.", "1.", 1))
    (run.directory / "report" / "extra.html").write_text("extra")
    wrong = [line for line, is_good in verify_lines(run, 0) if not is_good]
    assert len(wrong) == 2
    assert wrong[0].startswith("report/extra.html was changed after it was written")
    assert wrong[1].startswith(f"report/tables/{table.name} was changed after it was written")


def test_results_computed_again_have_the_same_bits(run: Run) -> None:
    before = contents(run.directory)
    repetitions = list(recompute(run, 100))
    titles = {repetition.title.partition(" ")[0] for repetition in repetitions}
    assert titles == {"network", "representations", "svcca", "evaluation"}
    assert [r for r in repetitions if r.difference or not r.is_same] == []
    assert contents(run.directory) == before


def test_a_forged_result_with_right_checksums_is_found_by_repetition(run: Run) -> None:
    key = matrix_key(run)
    stored = run.store.read(key, Distances)
    values = stored.values.copy()
    values[0, 1] = values[1, 0] = values[0, 1] / 2
    fields = {name: getattr(stored, name) for name in stored.__dataclass_fields__}
    for name, content in Distances(**{**fields, "values": values}).contents(key).items():
        (run.store.folder(key) / name).write_bytes(content)
    assert verify(run).problems == []
    lines = dict(verify_lines(run, 100))
    wrong = [line for line, is_good in lines.items() if not is_good]
    assert len(wrong) == 1
    assert wrong[0].startswith("computed again: svcca flip_flop (2 networks): values differs by ")


def test_records_are_compared_with_a_tolerance(run: Run) -> None:
    stored = run.store.read(matrix_key(run), Distances)
    fields = {name: getattr(stored, name) for name in stored.__dataclass_fields__}
    near = Distances(**{**fields, "values": stored.values * (1 + 1e-9)})
    words, is_same = compare_records(stored, near)
    assert is_same
    assert words.startswith("values differs by 1.0e-09")
    far = Distances(**{**fields, "values": stored.values * 0.9})
    assert compare_records(stored, far)[1] is False
    assert compare_records(stored, stored) == ("", True)
    assert compare_records(stored, run.trained_network(MEMBER))[1] is False


def leftover_kinds(run: Run) -> Iterator[str]:
    """Leave things of all kinds in a store, and yield words on each."""
    store = run.store
    store.write("ab" * 20, store.read(matrix_key(run), Distances))
    yield "no spec refers to it"
    store.write("course-" + "0" * 32 + "-000000001", store.read(matrix_key(run), Distances))
    yield "checkpoint of networks that are trained"
    (store.root / DAMAGED / "dd-1").mkdir(parents=True)
    yield "damaged, set aside by a run"
    (store.root / ".draft-old").mkdir()
    os.utime(store.root / ".draft-old", (0, 0))
    yield "draft of a writer that ended"


def test_leftovers_are_listed_and_removed_only_if_told_so(run: Run) -> None:
    whole = contents(run.directory)
    assert list(clean_lines([run], delete=False)) == ["Nothing to clean"]
    words = list(leftover_kinds(run))
    before = contents(run.directory)
    listed = "\n".join(clean_lines([run], delete=False))
    assert all(word in listed for word in words)
    assert "nothing is removed without --delete" in listed
    assert contents(run.directory) == before
    removed = "\n".join(clean_lines([run], delete=True))
    assert all(word in removed for word in words)
    assert "Removed " in removed
    assert contents(run.directory) == whole
    assert list(clean_lines([run], delete=False)) == ["Nothing to clean"]


def strangers(root: Path) -> list[Path]:
    """Write files of the user, and of other programs, into a folder. Return their paths."""
    names = ["thesis/chapter.txt", "xy/photos/a.txt", "course-notes/a.txt", "ab/words/a.txt",
             f"{'cd' * 20}/objects/pack.bin", f"ef/{'ef' * 20}/objects/pack.bin"]  # fmt: skip
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("precious")
        os.utime((root / name).parent, (0, 0))
    return [root / name for name in names]


def test_only_folders_of_the_form_of_records_are_removed(run: Run) -> None:
    files = strangers(run.store.root)
    assert list(clean_lines([run], delete=True)) == ["Nothing to clean"]
    words = list(leftover_kinds(run))
    removed = "\n".join(clean_lines([run], delete=True))
    assert all(word in removed for word in words)
    runner.run(run.study, run.directory)
    assert all(path.read_text() == "precious" for path in files)


def test_a_store_that_is_a_folder_of_the_user_is_not_cleaned(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    files = strangers(home)
    (home / DAMAGED / "a").mkdir(parents=True)
    foreign = Run(run.directory, study(runtime={"store": str(home)}))
    before = contents(home)
    with pytest.raises(RunError, match=r"home must be a store .*, but it has no file 'format'"):
        list(clean_lines([foreign], delete=True))
    assert contents(home) == before
    assert (home / DAMAGED / "a").is_dir()
    assert all(path.exists() for path in files)


def test_a_store_outside_of_the_run_directory_takes_a_switch(run: Run, tmp_path: Path) -> None:
    outside = run.store.root.rename(tmp_path / "shared")
    foreign = Run(run.directory, study(runtime={"store": str(outside)}))
    foreign.store.write("ab" * 20, foreign.store.read(matrix_key(foreign), Distances))
    listed = "\n".join(clean_lines([foreign], delete=False))
    assert "It takes --delete --shared" in listed
    with pytest.raises(RunError, match=r"lies outside of the run directories.*add --shared"):
        list(clean_lines([foreign], delete=True))
    assert foreign.store.has("ab" * 20)
    assert "Removed" in "\n".join(clean_lines([foreign], delete=True, shared=True))
    assert not foreign.store.has("ab" * 20)


@pytest.mark.parametrize("name", [DAMAGED, ".set-aside", "ab"])
def test_links_in_a_store_are_not_followed_for_deleting(
    run: Run, tmp_path: Path, name: str
) -> None:
    run.store.write("cd" * 20, run.store.read(matrix_key(run), Distances))
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(run.store.folder("cd" * 20), elsewhere / ("ab" * 20))
    (run.store.root / name).symlink_to(elsewhere)
    with pytest.raises(OSError, match="links are not followed"):
        list(clean_lines([run], delete=True))
    assert sorted(path.name for path in (elsewhere / ("ab" * 20)).iterdir()) == [
        "arrays.npz",
        "meta.json",
    ]
    assert run.store.has("cd" * 20)


def test_what_a_smaller_spec_no_longer_refers_to_is_removed(run: Run) -> None:
    smaller = Run(run.directory, study(analyses=[SPEC["analyses"][1]]), run.store)
    (line, *_) = clean_lines([smaller], delete=True)
    assert "no spec refers to it" in line
    assert not run.store.has(matrix_key(run))
    assert run.store.has(run.key(MEMBER))
    assert verify(smaller).problems == []
    assert runner.run(study(), run.directory).distances("svcca").shape == (2, 2)


def test_what_may_still_be_needed_is_kept(run: Run) -> None:
    run.store.write("ab" * 20, run.store.read(matrix_key(run), Distances))
    reseal(run.store.folder("ab" * 20), lambda meta: meta.update(format=9, rnnstudy="9.9"))
    assert list(clean_lines([run], delete=True)) == ["Nothing to clean"]
    more = Run(run.directory, study(networks={**SPEC["networks"], "seeds": 3}), run.store)
    course = "course-" + "0" * 32 + "-000000001"
    run.store.write(course, run.store.read(matrix_key(run), Distances))
    assert references_of(more.study, more.store).title(course) == "checkpoint"
    assert course not in "\n".join(clean_lines([more], delete=False))


def test_a_store_in_which_a_run_is_at_work_is_not_cleaned(run: Run) -> None:
    (run.store.root / LEASES).mkdir(exist_ok=True)
    (run.store.root / LEASES / "job").write_text(json.dumps({}))
    with pytest.raises(RunError, match="a run is at work in"):
        list(clean_lines([run], delete=True))


def test_a_network_of_a_later_version_is_refused_and_kept(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = {"momentum": {"value": 0.9}}
    for key in (run.key(MEMBER), run.index.network[MEMBER].key("outcome")):
        folder = run.store.folder(key)
        reseal(folder, lambda meta: meta.update(rnnstudy="9.9", fields={**meta["fields"], **extra}))
    for command in ("status", "report", "run"):
        place = "spec.yaml" if command == "run" else ""
        out = ("--out", str(run.directory)) if command == "run" else ()
        before = contents(run.directory)
        monkeypatch.setattr("sys.argv", ["rnnstudy", command, str(run.directory / place), *out])
        with pytest.raises(SystemExit, match=r"^2$"):
            commands.main()
        error = capsys.readouterr().err
        assert re.search(r"written by rnnstudy 9\.9, read by .*'momentum'", error)
        assert "Traceback" not in error
        assert contents(run.directory) == before


def test_a_record_whose_class_has_other_fields_is_kept_by_a_report(run: Run) -> None:
    key = Representations().key(run.key(MEMBER))
    reseal(run.store.folder(key), lambda m: m["fields"].update(former=m["fields"].pop("states")))
    before = contents(run.store.root)
    with pytest.raises(RunError, match="former"):
        run.record("representations", MEMBER)
    CliRunner().invoke(app, ["report", str(run.directory)])
    CliRunner().invoke(app, ["status", str(run.directory)])
    assert contents(run.store.root) == before


def test_an_absent_store_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    runtime = {"workers": 1, "store": str(tmp_path / "disk" / "shared")}
    run = runner.run(study(analyses=[], runtime=runtime), tmp_path / "run")
    (tmp_path / "disk").rename(tmp_path / "elsewhere")
    before = contents(run.directory)
    for action in (lambda: open_run(run.directory), lambda: runner.run(run.study, run.directory)):
        with pytest.raises(CorruptRecord, match=r"there is no store .* is its disk mounted"):
            action()
    assert contents(run.directory) == before
    assert not (tmp_path / "disk").exists()


def test_the_commands(run: Run) -> None:
    command = CliRunner()
    result = command.invoke(app, ["verify", str(run.directory)])
    assert result.exit_code == 0, result.output
    assert "records match their checksums" in result.output
    assert "Size: " in command.invoke(app, ["status", str(run.directory)]).output
    assert "Nothing to clean" in command.invoke(app, ["clean", str(run.directory)]).output
    damage(run, "matrix")
    result = command.invoke(app, ["verify", str(run.directory)])
    assert result.exit_code == 1
    assert "does not match its checksum" in result.output
