"""Breaks small studies again and again and compares what they end with:

.venv/bin/python tools/soak.py --times 20 --kinds kill signal disk damage shard --json soak.json

Each repetition is a run that is broken once or more, then started again until it is done. Its
members.csv, tables and figures must be those of an unbroken run byte for byte, every result that
was whole at a break must still be there, and `rnnstudy verify` must find nothing. Exit status: 0
all of this holds, 1 some of it does not, 2 the arguments are wrong.
"""

import argparse
import atexit
import errno
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SPEC = """\
study: soak
tasks: [{{kind: flip_flop, bits: 1, length: 20}}]
networks: {{cells: [gru, vanilla], activations: tanh, units: 4, seeds: {seeds}}}
training: {{steps: {steps}, batch: 8, learning_rate: 1e-2}}
analyses:
  - {{kind: fixed_points, networks: trained}}
  - {{kind: pairs, metric: cka, networks: trained}}
runtime: {{checkpoint: 0.5, forbid: nothing, workers: 2}}
"""

PATIENCE = 900
"""Seconds after which a run that does not end counts as lost."""

MOST_STARTS = 4
"""Starts without a break after which a run must be done."""

COMPARED = ("members.csv", "report/tables", "report/figures")

Snapshot = dict[str, int]
"""File of a stored result -> time of its last change."""


@dataclass
class Outcome:
    """What one repetition came to."""

    kind: str
    breaks: int = 0
    lost: list[str] = field(default_factory=list)
    """Stored results that were whole at a break and were made again, or are gone."""
    differing: list[str] = field(default_factory=list)
    """Files that differ from those of the unbroken run, or that one of the two lacks."""
    problems: list[str] = field(default_factory=list)
    """Anything else: a run that does not end, an exit code that it must not have."""


class Soak:
    """Repeats breaks of one study.

    Parameters
    ----------
    folder
        Folder for all runs.
    spec
        The study's file.
    source
        Random numbers.
    """

    def __init__(self, folder: Path, spec: Path, source: random.Random) -> None:
        self.folder, self.spec, self.source = folder, spec, source
        self.whole = folder / "unbroken"
        start = time.monotonic()
        told = self._run(["--count", *self._command(self.whole)]).stderr
        self.seconds = time.monotonic() - start
        """Seconds of the unbroken run."""
        self.changes = int(told.rpartition("changes: ")[2])
        """Changes of the file system in the unbroken run."""
        self.files = _contents(self.whole)

    def repeat(self, kind: str, number: int) -> Outcome:
        """Break one run and compare what it ends with."""
        outcome, directory = Outcome(kind), self.folder / f"{kind}-{number}"
        try:
            whole = KINDS[kind](self, directory, outcome)
            self._finish(directory, outcome, shards=kind == "shard")
        except subprocess.TimeoutExpired:
            outcome.problems.append(f"no end within {PATIENCE} s")
            return outcome
        after = _stored(directory)
        outcome.lost = [n for n, when in whole.items() if after.get(n, 0) != (when or after.get(n))]
        outcome.differing = _differences(self.files, _contents(directory))
        if not outcome.problems and not outcome.differing and not outcome.lost:
            shutil.rmtree(directory)
        return outcome

    def kill(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Kill the run at one to three random moments."""
        return self._interrupt(directory, outcome, [signal.SIGKILL])

    def pause(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Send the run one to three signals that pause it."""
        return self._interrupt(directory, outcome, [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])

    def _interrupt(
        self, directory: Path, outcome: Outcome, signals: Sequence[signal.Signals]
    ) -> Snapshot:
        whole: Snapshot = {}
        for _ in range(self.source.randint(1, 3)):
            chosen = self.source.choice(signals)
            process = self._start(self._command(directory))
            moment = self.source.uniform(0, self.seconds)
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                outcome.breaks += 1
                os.killpg(process.pid, chosen)
            code = process.wait(PATIENCE)
            if code not in (0, 128 + chosen, -chosen):
                outcome.problems.append(f"exit code {code} after {chosen.name} at {moment:.1f} s")
            whole |= _stored(directory)
        return whole

    def disk(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Let the disk be full from a random change of the file system on."""
        change, outcome.breaks = self.source.randint(1, self.changes), 1
        code = self._run(["--full", str(change), *self._command(directory)]).returncode
        if code not in (1, 2):
            outcome.problems.append(f"exit code {code} with a full disk from change {change} on")
        return _stored(directory)

    def damage(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Damage some stored results of a finished run."""
        shutil.copytree(self.whole, directory, symlinks=True)
        files = [path for path in (directory / "store").rglob("*") if _is_of_record(path)]
        chosen = self.source.sample(files, self.source.randint(1, min(5, len(files))))
        for path in chosen:
            outcome.breaks += 1
            self.source.choice(DAMAGES)(path, self.source)
        folders = {path.parent for path in chosen}
        # A network that is trained again writes its outcome again, too: any time is right.
        return {n: 0 for n in _stored(directory) if (directory / n).parent not in folders}

    def shard(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Run in two shards side by side, and kill one of them."""
        shards = [self._start([*self._command(directory), "--shard", f"{k}/2"]) for k in (1, 2)]
        lost = self.source.choice(shards)
        try:
            lost.wait(self.source.uniform(0, self.seconds))
        except subprocess.TimeoutExpired:
            outcome.breaks += 1
            os.killpg(lost.pid, signal.SIGKILL)
        for process in shards:
            process.wait(PATIENCE)
        return _stored(directory)

    def _finish(self, directory: Path, outcome: Outcome, shards: bool) -> None:
        """Start the run again until it is done, and verify it."""
        if shards:
            for k in (1, 2):
                self._run([*self._command(directory), "--shard", f"{k}/2"])
        codes = []
        while len(codes) < MOST_STARTS and (not codes or codes[-1]):
            codes.append(self._run(self._command(directory)).returncode)
        if codes[-1]:
            outcome.problems.append(f"exit codes {codes} without a break")
        verified = self._run(["verify", str(directory)])
        if verified.returncode:
            said = (verified.stdout + verified.stderr).strip().splitlines()
            outcome.problems.append(f"verify: {said[-1] if said else verified.returncode}")

    def _command(self, directory: Path) -> list[str]:
        return ["run", str(self.spec), "--out", str(directory)]

    def _start(self, arguments: Sequence[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, __file__, "--as-command", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _run(self, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, __file__, "--as-command", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )


KINDS: dict[str, Callable[[Soak, Path, Outcome], Snapshot]] = {
    "kill": Soak.kill,
    "signal": Soak.pause,
    "disk": Soak.disk,
    "damage": Soak.damage,
    "shard": Soak.shard,
}


def _is_of_record(path: Path) -> bool:
    """Return whether a path is a file of a stored result, not of a checkpoint or of the store."""
    return path.is_file() and len(path.parent.name) == 40


def _stored(directory: Path) -> Snapshot:
    """Return the stored results, by their names in the directory."""
    return {
        str(path.relative_to(directory)): path.stat().st_mtime_ns
        for path in (directory / "store").rglob("*")
        if _is_of_record(path)
    }


def _contents(directory: Path) -> dict[str, bytes]:
    """Return the files that are compared."""
    files: dict[str, bytes] = {}
    for name in COMPARED:
        path = directory / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file():
                files[str(file.relative_to(directory))] = file.read_bytes()
    return files


def _differences(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    return sorted(name for name in expected | found if expected.get(name) != found.get(name))


def _flip(path: Path, source: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[source.randrange(len(content))] ^= 1 << source.randrange(8)
    path.write_bytes(content)


def _truncate(path: Path, source: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: source.randrange(path.stat().st_size)])


def _empty(path: Path, source: random.Random) -> None:
    path.write_bytes(b"")


def _delete(path: Path, source: random.Random) -> None:
    path.unlink()


def _swap(path: Path, source: random.Random) -> None:
    """Replace a file by that of another result."""
    others = [p for p in path.parents[2].rglob(path.name) if p != path and _is_of_record(p)]
    path.write_bytes(source.choice(others or [path]).read_bytes()[:: 1 if others else -1])


DAMAGES: Sequence[Callable[[Path, random.Random], None]] = (
    _flip, _truncate, _empty, _delete, _swap,
)  # fmt: skip


def as_command(arguments: list[str]) -> None:
    """Run the command line of rnnstudy, on a disk that is full from some change on, or counting."""
    from rnnstudy.cli.commands import main as command
    from rnnstudy.core.files import changes

    number, count = itertools.count(1), [0]
    limit = float("inf")
    if arguments[0] == "--count":
        arguments = arguments[1:]
        atexit.register(lambda: sys.stderr.write(f"\nchanges: {count[0]}"))
    elif arguments[0] == "--full":
        limit, arguments = int(arguments[1]), arguments[2:]

    def before_change(operation: str, path: Path) -> None:
        count[0] = next(number)
        if count[0] >= limit and operation.startswith("create"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    changes.before_change = before_change
    sys.argv = ["rnnstudy", *arguments]
    command()


def main(arguments: Sequence[str] | None = None) -> int:
    """Break, compare, print; return the exit status."""
    options = _options(arguments)
    outcomes: list[Outcome] = []
    folder = options.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    spec = folder / "soak.yaml"
    spec.write_text(SPEC.format(seeds=options.networks, steps=options.steps))
    soak = Soak(folder, spec, random.Random(options.seed))
    sys.stderr.write(f"unbroken: {soak.seconds:.0f} s, {len(soak.files)} files to compare\n")
    for number in range(options.times):
        for kind in options.kinds:
            outcomes.append(soak.repeat(kind, number))
            sys.stderr.write(f"{number + 1} {_words(outcomes[-1])}\n")
            if options.json:
                options.json.write_text(json.dumps(list(map(asdict, outcomes)), indent=1) + "\n")
    sys.stdout.write(table(outcomes) + "\n")
    broken = [o for o in outcomes if o.problems or o.differing or o.lost]
    if not broken and not options.folder:
        shutil.rmtree(folder)
    return int(bool(broken))


def _words(outcome: Outcome) -> str:
    faults = [*outcome.problems, *(f"lost {n}" for n in outcome.lost[:3])]
    faults += [f"{name} differs" for name in outcome.differing[:3]]
    return f"{outcome.kind}, {outcome.breaks} breaks: {'; '.join(faults) or 'the same'}"


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the table for the docs, one row for each kind of break."""
    lines = ["| break | runs | breaks | results lost | files that differ | other problems |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for kind in dict.fromkeys(outcome.kind for outcome in outcomes):
        of_kind = [outcome for outcome in outcomes if outcome.kind == kind]
        counts: list[Any] = [len(of_kind), sum(outcome.breaks for outcome in of_kind)]
        faults = ("lost", "differing", "problems")
        counts += [sum(len(getattr(outcome, name)) for outcome in of_kind) for name in faults]
        lines.append(f"| {kind} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak.py", description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=1, metavar="N", help="runs of each kind")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND")
    parser.add_argument("--networks", type=int, default=2, metavar="N", help="networks of a cell")
    parser.add_argument("--steps", type=int, default=400, metavar="N", help="steps of training")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="keep all runs there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every outcome")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-command"]:
        as_command(sys.argv[2:])
    else:
        sys.exit(main())
