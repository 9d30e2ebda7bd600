"""How often a certificate calls a search consistent that misses points, and what a search takes:

.venv/bin/python tools/bench/certificates.py --cache /tmp/certificates --before /tmp/other

On networks whose points are known from an exhaustive search, which are made once and kept in the
cache. --before is a folder with another version of the package: both search the same networks in
turns, and processor times are compared. Exit status: 0 done, 1 the bound on the rate of false
certificates is above 1 in 200, 2 the arguments are wrong.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import certificate_networks as known_networks
import numpy as np
from asking import OneSentence, number_from
from certificate_networks import Cohort, Known
from rich.table import Table
from scipy.stats import beta

from rnnstudy.cli.terminal import SafeConsole
from rnnstudy.dynamics.fixed_points.find import FixedPoints, find_fixed_points
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem

AIM = 1.0 / 200.0
"""Largest bound on the rate of false certificates."""

SAME = 2e-3
"""Distance within which two points are one, as a share of the states' root mean square."""


@dataclass(frozen=True)
class Outcome:
    """One network at one input, searched by one version.

    is_known: indices of all known points sum to 1.
    """

    kind: str
    member: str
    version: str
    is_known: bool
    points: int
    missing: int
    is_consistent: bool
    seconds: float


def search(cohort: Cohort, seed: int, cache: Path) -> tuple[FixedPoints, float]:
    """Search a cohort with the default settings; return the points and the processor time."""
    networks = known_networks.networks_of(cohort, seed, cache)
    inputs, visited = (
        known_networks.inputs_of(cohort),
        known_networks.visited_of(cohort, networks),
    )
    few = np.arange(min(2, len(networks)))
    find_fixed_points(networks.select("member", few), inputs, visited=visited[few])  # compiles
    begun = time.process_time()
    found = find_fixed_points(networks, inputs, visited=visited)
    return found, time.process_time() - begun


def serve() -> None:
    """Search the cohorts that standard input names, in this process and version."""
    for line in sys.stdin:
        order = json.loads(line)
        found, seconds = search(Cohort(**order["cohort"]), order["seed"], Path(order["cache"]))
        names = {name: np.asarray(values) for name, values in found.searches.items()}
        np.savez(order["file"], state=found.state, of=found.member, at=found.input_index, **names)
        sys.stdout.write(json.dumps({"seconds": seconds}) + "\n")
        sys.stdout.flush()


class Version:
    """A version of the package in a process of its own, with one thread."""

    def __init__(self, name: str, folder: Path) -> None:
        threads = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
        settings = dict.fromkeys(threads, "1") | {"PYTHONPATH": str(folder)}
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve"],
            env=os.environ | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def search(self, cohort: Cohort, seed: int, cache: Path) -> tuple[dict[str, Any], float]:
        """Return what this version finds, and its processor time."""
        file = cache / cohort.name / f"found-{self.name}.npz"
        order = {"cohort": asdict(cohort), "seed": seed, "cache": str(cache), "file": str(file)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        with np.load(file) as arrays:
            return dict(arrays), answer["seconds"]

    def end(self) -> None:
        """Stop the process."""
        self._process.kill()
        self._process.wait()


def measure(cohort: Cohort, seed: int, cache: Path, versions: Sequence[Version]) -> list[Outcome]:
    """Search a cohort by all versions in turns, and compare with the known points."""
    networks = known_networks.networks_of(cohort, seed, cache)
    file = cache / cohort.name / "known.npz"
    known = known_networks.known_points(cohort, networks, seed, file)
    found = {version.name: version.search(cohort, seed, cache) for version in versions}
    places = [(m, i) for m, row in enumerate(known) for i in range(len(row))]
    for member, position in places:
        others = [_points(each, member, position) for each, _ in found.values()]
        known[member][position] = known_networks.join(known[member][position], *others)
    known_networks.write_known(known, file)
    sums = index_sums(cohort, seed, cache, known)
    outcomes = []
    for name, (each, seconds) in found.items():
        verdict = {
            (int(m), int(i)): int(v)
            for m, i, v in zip(each["member"], each["input_index"], each["verdict"], strict=True)
        }
        for member, position in places:
            points = known[member][position]
            missing = n_missing(points, _points(each, member, position))
            outcomes.append(
                Outcome(
                    kind=cohort.kind,
                    member=f"{cohort.name} {member}",
                    version=name,
                    is_known=sums[member, position] == 1,
                    points=len(points.state),
                    missing=missing,
                    is_consistent=verdict[member, position] == 0,
                    seconds=seconds / len(places),
                )
            )
    return outcomes


def _points(found: dict[str, Any], member: int, position: int) -> np.ndarray:
    state: np.ndarray = found["state"][(found["of"] == member) & (found["at"] == position)]
    return state


def n_missing(known: Known, found: np.ndarray) -> int:
    """Return the number of known points that are not among those found."""
    if not len(found):
        return len(known.state)
    distance = np.sqrt(np.mean((known.state[:, None] - found) ** 2, axis=2)).min(axis=1)
    return int((distance > SAME * known.scale).sum())


def index_sums(
    cohort: Cohort, seed: int, cache: Path, known: Sequence[Sequence[Known]]
) -> dict[tuple[int, int], int]:
    """Return the sum of the known points' indices of each network at each input."""
    networks = as_networks(known_networks.networks_of(cohort, seed, cache))
    sums = {}
    for member, row in enumerate(known):
        for position, constant_input in enumerate(known_networks.inputs_of(cohort)):
            system = AutonomousSystem(networks, member, constant_input, position)
            _, jacobian = system.linearise(row[position].state)
            sign, _ = np.linalg.slogdet(np.eye(jacobian.shape[-1]) - jacobian)
            sums[member, position] = round(float(sign.sum()))
    return sums


def upper_bound(failures: int, trials: int) -> float:
    """Return the one-sided 95 % bound on a rate (Clopper & Pearson 1934)."""
    return float(beta.ppf(0.95, failures + 1, trials - failures)) if failures < trials else 1.0


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return counts over searches, and over networks, of which all inputs count."""
    row: dict[str, Any] = {"seconds": sum(o.seconds for o in outcomes)}
    by_member: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_member.setdefault(outcome.member, []).append(outcome)
    groups = {"searches": [[o] for o in outcomes], "networks": list(by_member.values())}
    for name, all_groups in groups.items():
        known = [group for group in all_groups if all(o.is_known for o in group)]
        consistent = [group for group in known if all(o.is_consistent for o in group)]
        false = [group for group in consistent if any(o.missing for o in group)]
        complete = [group for group in known if not any(o.missing for o in group)]
        row[name] = {
            "all": len(all_groups),
            "known": len(known),
            "consistent": len(consistent),
            "false": len(false),
            "bound": upper_bound(len(false), len(consistent)),
            "complete": len(complete),
            "share": (len(consistent) - len(false)) / max(1, len(complete)),
        }
    return row


def show(console: SafeConsole, outcomes: Sequence[Outcome], unit: str) -> None:
    """Print one line per kind and version."""
    table = Table(title=unit, title_justify="left", title_style="bold")
    table.add_column("kind")
    headings = ("version", "known", "consistent", "false", "bound", "complete", "share", "s")
    for heading in headings:
        table.add_column(heading, justify="right")
    kinds = list(dict.fromkeys(o.kind for o in outcomes))
    for kind in [*kinds, "all"]:
        for version in dict.fromkeys(o.version for o in outcomes):
            some = [o for o in outcomes if o.version == version and kind in (o.kind, "all")]
            row = summary(some)
            counts = row[unit]
            cells = [f"{counts['known']} of {counts['all']}", str(counts["consistent"])]
            cells += [str(counts["false"]), f"{100 * counts['bound']:.2f} %"]
            cells += [str(counts["complete"]), f"{100 * counts['share']:.1f} %"]
            table.add_row(kind, version, *cells, f"{row['seconds']:.1f}")
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; return the exit status."""
    options = _options(arguments)
    if options.serve:
        serve()
        return 0
    console, outcomes = SafeConsole(), list[Outcome]()
    versions = [Version("now", Path(__file__).parents[2])]
    if options.before:
        versions.insert(0, Version("before", options.before))
    try:
        for turn, cohort in enumerate(known_networks.cohorts(options.networks)):
            if options.only in cohort.name:
                ordered = versions if turn % 2 else versions[::-1]
                outcomes += measure(cohort, options.seed, options.cache, ordered)
                _write(outcomes, options.json)
    finally:
        for version in versions:
            version.end()
    for unit in ("searches", "networks"):
        show(console, outcomes, unit)
    final = summary([o for o in outcomes if o.version == "now"])["networks"]
    return 0 if final["bound"] < AIM else 1


def _write(outcomes: Sequence[Outcome], file: Path | None) -> None:
    if file:
        file.write_text(json.dumps([asdict(o) for o in outcomes], indent=1) + "\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneSentence(prog="certificates.py", description=__doc__.partition("\n")[0])
    number: dict[str, Any] = {"type": number_from(1), "metavar": "NUMBER"}
    parser.add_argument("--cache", type=Path, default=Path(), help="folder for networks")
    parser.add_argument("--before", type=Path, help="folder with another version of the package")
    parser.add_argument("--networks", default=7, help="of the smallest unit of cohorts", **number)
    parser.add_argument("--seed", default=2, help="of the networks", **number)
    parser.add_argument("--only", default="", metavar="NAME", help="cohorts of such a name")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
