"""Kinds of breaks: how a run is broken, and that it ends like an unbroken one."""

import json
import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from broken_runs.commands import Command, Conditions, TimeOut, import_modules, run_command
from broken_runs.contents import (
    Outcome,
    Phase,
    Snapshot,
    contents,
    differences,
    is_of_record,
    losses,
    stored,
)
from broken_runs.damages import DAMAGES

SPEC = """\
study: soak
tasks: [{{kind: flip_flop, bits: 1, length: 20, evaluation_trials: 32, probe_trials: 8}}]
networks: {{cells: [ugrnn, vanilla], activations: tanh, units: 4, seeds: {seeds}}}
training: {{steps: {steps}, batch: 8, learning_rate: 1e-2, record_every: {piece}}}
analyses:
  - {{kind: fixed_points, networks: trained, search: {{rounds: 1, candidates: 16}}}}
  - {{kind: pairs, metric: cka, networks: trained}}
report: {{formats: svg, models: ["*-ugrnn-*-s000"]}}
runtime: {{checkpoint: 0.2, forbid: nothing, workers: 2}}
"""

PIECES = 40
"""Pieces of a training, after each of which there may be a checkpoint."""

MOST_STARTS = 4
"""Starts without a break after which a run must be done."""

MOST_LOST = 2
"""Workers that a run may lose, whatever they do, without a failed job."""

GROUP_END = 30.0
"""Seconds after which workers must have ended whose run was killed."""

CLUSTER = ("--cluster", "local:2")


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
    most
        Largest number of breaks of one run.
    """

    def __init__(self, folder: Path, spec: Path, source: random.Random, most: int = 4) -> None:
        self.folder, self.spec, self.source, self.most = folder, spec, source, most
        self.log, self.whole = folder / "output.txt", folder / "unbroken"
        start, self.changes = self._unbroken(self.whole)
        self.seconds = time.time() - start
        """Seconds of the unbroken run."""
        times = [when / 1e9 - start for when in stored(self.whole).values()]
        self.first, self.last = min(times), max(times)
        """Seconds from the start of the unbroken run to its first and last result."""
        self.results, self.files = set(stored(self.whole)), contents(self.whole)
        self._points: dict[str, list[int]] = {}

    @cached_property
    def cluster_seconds(self) -> float:
        """Seconds of an unbroken run on worker processes until its last result."""
        directory = self.folder / "cluster"
        start, _ = self._unbroken(directory, *CLUSTER)
        found = contents(directory)
        found["resolved.yaml"] = self.files["resolved.yaml"]  # it names the cluster
        if names := differences(self.files, found):
            raise SystemExit(f"an unbroken run on worker processes differs in {', '.join(names)}")
        return max(stored(directory).values()) / 1e9 - start

    def repeat(self, kind: str, number: int) -> Outcome:
        """Break one run and compare what it ends with."""
        outcome, directory = Outcome(kind), self.folder / f"{kind}-{number}"
        begun = time.monotonic()
        try:
            whole = KINDS[kind](self, directory, outcome)
            self._finish(directory, outcome)
        except TimeOut as error:
            outcome.problems.append(str(error))
            return outcome
        outcome.seconds = time.monotonic() - begun
        outcome.lost = losses(whole, stored(directory))
        outcome.differing = differences(self.files, contents(directory))
        if not outcome.is_broken:
            shutil.rmtree(directory)
        return outcome

    def kill(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Kill the run at random moments."""
        return self._interrupt(directory, outcome, [signal.SIGKILL])

    def pause(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Send the run signals that pause it, at random moments."""
        return self._interrupt(directory, outcome, [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])

    def _interrupt(
        self, directory: Path, outcome: Outcome, signals: Sequence[signal.Signals]
    ) -> Snapshot:
        whole: Snapshot = {}
        for _ in range(self.source.randint(1, self.most)):
            chosen, command = self.source.choice(signals), self._start(directory)
            code = command.wait(self.source.uniform(0, self._left(directory)))
            if code is None:
                command.kill_group(chosen)
                code = command.end()
                self._note(directory, outcome)
            if code not in (0, 128 + chosen, -chosen):
                outcome.problems.append(f"exit code {code} after {chosen.name}")
            whole |= stored(directory)
            if code == 0:
                break
        return whole

    def worker(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Kill random workers of a run on worker processes. The run must go on."""
        whole: Snapshot = {}
        moment = self.cluster_seconds / MOST_LOST
        command = self._start(directory, *CLUSTER)
        for _ in range(self.source.randint(1, MOST_LOST)):
            if command.wait(self.source.uniform(0, moment)) is not None:
                break
            while command.wait(0.01) is None:
                if workers := command.children():
                    self._note(directory, outcome)
                    whole |= stored(directory)
                    Command.kill(self.source.choice(workers))
                    break
        if code := command.end():
            outcome.problems.append(f"exit code {code} although workers alone were lost")
        return whole

    def cluster(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Kill the process of a run, and with it the scheduler, at random moments.

        Its workers are killed with it, or must end by themselves.
        """
        whole: Snapshot = {}
        for _ in range(self.source.randint(1, self.most)):
            command = self._start(directory, *CLUSTER)
            moment = self.cluster_seconds - self.last + self._left(directory)
            if command.wait(self.source.uniform(0, moment)) is not None:
                break
            if self.source.random() < 0.5:
                command.kill_group(signal.SIGKILL)
            else:
                Command.kill(command.pid)
            command.end()
            if not command.group_ends(GROUP_END):
                outcome.problems.append(f"workers outlive their run by {GROUP_END:.0f} s")
                command.kill_group(signal.SIGKILL)
            self._note(directory, outcome)
            whole |= stored(directory)
        return whole

    def point(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Kill the run before a change of the file system, another one each time."""
        change, account = self._next_point("point", self.changes), self.folder / "account.json"
        conditions = Conditions(killed_at=change, account=account)
        code = run_command(self._arguments(directory), self.log, conditions)
        # A faster run writes fewer checkpoints than the unbroken one, and may end before.
        if code == 0 and json.loads(account.read_text())["changes"] < change:
            return stored(directory)
        if code != -signal.SIGKILL:
            outcome.problems.append(f"exit code {code}, not killed before change {change}")
        self._note(directory, outcome)
        return stored(directory)

    def worker_point(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Kill a worker of a run on worker processes before a change of the file system."""
        file = self.folder / f"{directory.name}.killed"
        change = self._next_point("worker-point", self.changes // 2)
        conditions = Conditions(killed_at=change, killed_worker=file)
        command = Command(self._arguments(directory, *CLUSTER), self.log, conditions)
        while command.wait(0.005) is None and not file.exists():
            pass
        whole: Snapshot = {}
        if file.exists():
            self._note(directory, outcome)
            whole = stored(directory)
            file.unlink()
        if code := command.end():
            outcome.problems.append(f"exit code {code} although one worker alone was lost")
        return whole

    def disk(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Let the disk be full from a random change of the file system on."""
        change = self.source.randint(1, self.changes)
        arguments = self._arguments(directory)
        code = run_command(arguments, self.log, Conditions(full_from=change))
        if code not in (1, 2):
            outcome.problems.append(f"exit code {code} with a full disk from change {change} on")
        self._note(directory, outcome)
        return stored(directory)

    def damage(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Damage some stored results of a finished run."""
        shutil.copytree(self.whole, directory, symlinks=True)
        files = [path for path in (directory / "store").rglob("*") if is_of_record(path)]
        chosen = self.source.sample(files, self.source.randint(1, min(5, len(files))))
        for path in chosen:
            outcome.phases.append("done")
            self.source.choice(DAMAGES)(path, self.source)
        folders = {path.parent for path in chosen}
        # A network that is trained again writes its outcome again, too: any time is right.
        return {n: 0 for n in stored(directory) if (directory / n).parent not in folders}

    def shard(self, directory: Path, outcome: Outcome) -> Snapshot:
        """Run in two shards side by side, and kill one of them."""
        shards = [self._start(directory, "--shard", f"{k}/2") for k in (1, 2)]
        lost = self.source.choice(shards)
        if lost.wait(self.source.uniform(0, self.seconds)) is None:
            lost.kill_group(signal.SIGKILL)
            lost.end()
            self._note(directory, outcome)
        for command in shards:
            command.end()
        whole = stored(directory)
        for k in (1, 2):
            self._start(directory, "--shard", f"{k}/2").end()
        return whole

    def _next_point(self, kind: str, last: int) -> int:
        """Return a change from 1 to `last`, at random. None comes twice before all have come."""
        if not self._points.get(kind):
            self._points[kind] = self.source.sample(range(1, last + 1), last)
        return self._points[kind].pop()

    def _note(self, directory: Path, outcome: Outcome) -> None:
        """Note the phase of a run at a break."""
        found = stored(directory).keys()
        phase: Phase = "jobs" if found else "start"
        outcome.phases.append("report" if found >= self.results else phase)

    def _left(self, directory: Path) -> float:
        """Return the seconds that a run still takes, from the share of its results."""
        missing = 1 - len(self.results & stored(directory).keys()) / len(self.results)
        return self.seconds - (1 - missing) * (self.last - self.first)

    def _finish(self, directory: Path, outcome: Outcome) -> None:
        """Start the run again until it is done, and verify it."""
        codes = []
        while len(codes) < MOST_STARTS and (not codes or codes[-1]):
            codes.append(run_command(self._arguments(directory), self.log))
        if codes[-1]:
            outcome.problems.append(f"exit codes {codes} without a break")
        if code := run_command(["verify", str(directory)], self.log):
            outcome.problems.append(f"exit code {code} of verify, see {self.log}")

    def _unbroken(self, directory: Path, *options: str) -> tuple[float, int]:
        """Run the study to its end; return the time of the start and the changes of files.

        It is run twice. The first time tells which modules this process must have loaded, so that
        all later runs take equally long.
        """
        account, arguments = self.folder / "account.json", self._arguments(directory, *options)
        for is_last in (False, True):
            start = time.time()
            if code := run_command(arguments, self.log, Conditions(account=account)):
                raise SystemExit(f"an unbroken run ends with {code}, see {self.log}")
            counted = json.loads(account.read_text())
            if not is_last:
                import_modules(counted["modules"])
                shutil.rmtree(directory)
        return start, counted["changes"]

    def _start(self, directory: Path, *options: str) -> Command:
        return Command(self._arguments(directory, *options), self.log)

    def _arguments(self, directory: Path, *options: str) -> list[str]:
        return ["run", str(self.spec), "--out", str(directory), *options]


KINDS: dict[str, Callable[[Soak, Path, Outcome], Snapshot]] = {
    "kill": Soak.kill,
    "signal": Soak.pause,
    "disk": Soak.disk,
    "damage": Soak.damage,
    "shard": Soak.shard,
    "worker": Soak.worker,
    "cluster": Soak.cluster,
    "point": Soak.point,
    "worker-point": Soak.worker_point,
}


def spec_text(seeds: int, steps: int) -> str:
    """Return the spec of the study, with so many networks of each cell and steps of training."""
    return SPEC.format(seeds=seeds, steps=steps, piece=max(steps // PIECES, 1))
