"""Breaks small studies again and again and compares what they end with:

.venv/bin/python tools/soak.py --breaks 200 --kinds kill

Each repetition is a run that is broken once or more, then started again until it is done. Its
members.csv, resolved.yaml, models, tables, figures and the index of the store must be those of an
unbroken run byte for byte, every result that was whole at a break must still be there, and
`rnnstudy verify` must find nothing. The kinds `worker`, `worker-point` and `cluster` run on two
worker processes of Dask. Exit status: 0 all of this holds, 1 some of it does not, 2 the arguments
are wrong.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from broken_runs.contents import Outcome, line, summary, table
from broken_runs.kinds import KINDS, Soak, spec_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Break, compare, print; return the exit status."""
    options = _options(arguments)
    outcomes: list[Outcome] = []
    folder = options.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    spec = folder / "soak.yaml"
    spec.write_text(spec_text(options.networks, options.steps))
    soak = Soak(folder, spec, random.Random(options.seed), options.most)
    sys.stderr.write(f"unbroken: {soak.seconds:.1f} s, {len(soak.files)} files to compare\n")
    number = 0
    while _is_open(options, outcomes, number):
        number += 1
        for kind in options.kinds:
            outcomes.append(soak.repeat(kind, number))
            sys.stderr.write(f"{number} {line(outcomes[-1])}\n")
            if options.json:
                options.json.write_text(json.dumps(list(map(asdict, outcomes)), indent=1) + "\n")
    sys.stdout.write(f"{table(outcomes)}\n\n{summary(outcomes, len(soak.files))}\n")
    is_broken = any(outcome.is_broken for outcome in outcomes)
    if not is_broken and not options.folder:
        shutil.rmtree(folder)
    return int(is_broken)


def _is_open(options: argparse.Namespace, outcomes: Sequence[Outcome], number: int) -> bool:
    """Return whether there are fewer repetitions or breaks of a kind than asked for."""
    breaks = [sum(o.breaks for o in outcomes if o.kind == kind) for kind in options.kinds]
    return number < options.times or min(breaks) < options.breaks


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak.py", description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=1, metavar="N", help="runs of each kind")
    parser.add_argument("--breaks", type=int, default=0, metavar="N", help="breaks of each kind")
    parser.add_argument("--most", type=int, default=4, metavar="N", help="breaks of one run")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND")
    parser.add_argument("--networks", type=int, default=2, metavar="N", help="networks of a cell")
    parser.add_argument("--steps", type=int, default=800, metavar="N", help="steps of training")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="keep all runs there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every outcome")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
