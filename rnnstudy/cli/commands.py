"""The `rnnstudy` command: parse, call one function, print.

Exit codes: 0 done; 1 finished, but a step failed or a network is unusable in a way that the spec
forbids; 2 the spec or the arguments are wrong; 130 interrupted.
"""

import json
import logging
import sys
import warnings
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rnnstudy import runner
from rnnstudy.analyses import ANALYSES
from rnnstudy.cells import CELLS
from rnnstudy.claims import CLAIMS
from rnnstudy.cli import progress as terminal
from rnnstudy.cli.plan_summary import show_plan
from rnnstudy.core.component import Entry
from rnnstudy.core.lazy_imports import quiet_tensorflow
from rnnstudy.metrics import METRICS
from rnnstudy.report.build import write_report
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.plan import Plan, counted, make_plan
from rnnstudy.study.results import files
from rnnstudy.study.results.run import Run, open_run, provenance
from rnnstudy.study.spec.schema import schema as json_schema
from rnnstudy.study.spec.study import SpecError, Study, load_study
from rnnstudy.tasks import TASKS

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Study populations of recurrent neural networks as dynamical systems.",
)
console = Console()
errors = Console(stderr=True)

SHOWN = 10
"""Diverged networks, and choices, named in the terminal."""

Spec = Annotated[Path, typer.Argument(help="The study's YAML file.", show_default=False)]
Directory = Annotated[Path, typer.Argument(help="A run directory.", show_default=False)]
Out = Annotated[
    Path | None, typer.Option("--out", help="Run directory; default: runs/<study name>.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH.TO.KEY=VALUE", help="Override a field of the spec."),
]


class Catalogue(StrEnum):
    """What can be listed."""

    tasks = "tasks"
    cells = "cells"
    analyses = "analyses"
    metrics = "metrics"
    claims = "claims"


@app.command()
def run(spec: Spec, out: Out = None, sets: Sets = None) -> None:
    """Train, analyse and report what the spec asks for; run it again to resume."""
    study = _load(spec, sets)
    directory = out or Path("runs") / study.study
    plan = _plan(study, directory)
    show_plan(study, plan, console)
    try:
        found = runner.run(
            study,
            directory,
            watching=lambda plan: terminal.watching(plan, console),
            spec=spec,
            command=["rnnstudy", *sys.argv[1:]],
        )
    except KeyboardInterrupt:
        errors.print(
            f"Interrupted. What is done is kept in {directory}; run the same command to go on.",
            highlight=False,
        )
        raise typer.Exit(130) from None
    _show_result(found)
    left = found.plan().todo
    if left and not found.provenance.get("failures"):
        # Damage inside a record shows only when it is read, which the report did last.
        _say(f"{counted(len(left), 'result')} were damaged; run the same command to mend them")
        raise typer.Exit(1)
    raise typer.Exit(_exit_code(found))


@app.command()
def check(spec: Spec, out: Out = None, sets: Sets = None) -> None:
    """Validate a spec and show what it would do, without doing it."""
    study = _load(spec, sets)
    show_plan(study, _plan(study, out or Path("runs") / study.study), console)


@app.command()
def status(directory: Directory) -> None:
    """Show how far a run is, and how its networks fare."""
    found = _open(directory)
    show_plan(found.study, found.plan(), console)
    _show_result(found)


@app.command()
def report(directory: Directory) -> None:
    """Write the report of a run again."""
    path = write_report(_open(directory))
    console.print(f"Report: {path}", highlight=False, soft_wrap=True)


@app.command()
def export(
    directory: Directory,
    member: Annotated[str, typer.Argument(help="A network's name, as in members.csv.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Keras file; default: MEMBER.keras.")
    ] = None,
) -> None:
    """Write a trained network as a Keras file."""
    found = _open(directory)
    path = files.export(found, member, out or Path(f"{member}.keras"))
    _say(f"Wrote {path}")
    trained = found.trained(member)
    if trained.status[0] == "diverged":
        _say(f"This network diverged at step {trained.diverged_at[0]}; its last finite weights.")


@app.command("list")
def list_(what: Annotated[Catalogue, typer.Argument(help="Which catalogue.")]) -> None:
    """List what a spec can name of a kind, with its fields."""
    catalogues: dict[Catalogue, dict[str, type[Entry]]] = {
        Catalogue.tasks: dict(TASKS),
        Catalogue.cells: dict(CELLS),
        Catalogue.analyses: dict(ANALYSES),
        Catalogue.metrics: dict(METRICS),
        Catalogue.claims: dict(CLAIMS),
    }
    for kind, entry in catalogues[what].items():
        console.print(f"[bold]{kind}[/bold]: {(entry.__doc__ or '').partition(chr(10))[0]}")
        for name, field in entry.model_fields.items():
            default = "required" if field.is_required() else _plain(field.get_default())
            text = " ".join((field.description or "").split())
            console.print(f"    {name} ({default}): {text}", markup=False, highlight=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of specs, for editors."""
    sys.stdout.write(json.dumps(json_schema(), indent=1) + "\n")


def _load(spec: Path, sets: list[str] | None) -> Study:
    _import_from(spec.parent.resolve())
    return load_study(spec, sets or [])


def _open(directory: Path) -> Run:
    folder = provenance(directory).get("spec_folder")
    if isinstance(folder, str):
        _import_from(Path(folder))
    return open_run(directory)


def _import_from(folder: Path) -> None:
    """A spec may name a user's own class, `mine:Recall`, in a file beside it."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _plan(study: Study, directory: Path) -> Plan:
    return make_plan(study, Run(directory, study).store)


def _show_result(found: Run) -> None:
    _show_choices(found)
    table = found.members
    trained = table[table["status"] == "trained"]
    solved = int(trained["solved"].sum())
    _say(f"{len(trained)} of {len(table)} networks trained, {solved} solved their task")
    diverged = list(table["member"][table["status"] == "diverged"])
    for name in diverged[:SHOWN]:
        _say(f"diverged: {name}")
    if len(diverged) > SHOWN:
        _say(f"and {len(diverged) - SHOWN} more diverged; members.csv lists them")
    for result in found.judged():
        _say(f"{result.word}: {result.claim.statement(result.task)} ({result.task.title})")
    for label, reason in found.provenance.get("failures", {}).items():
        _say(f"failed: {label}: {reason}")
    log = found.directory / "failures.log"
    if log.exists():
        _say(f"Tracebacks: {log}")
    page = found.directory / "report" / "index.html"
    if page.exists():
        _say(f"Report: {page}")


def _show_choices(found: Run) -> None:
    chosen = [
        f"chosen for {contest.name}: {contest.words(choice.chosen)}"
        for contest, choice in found.choices()
        if choice is not None
    ]
    for line in chosen[:SHOWN]:
        _say(line)
    if len(chosen) > SHOWN:
        _say(f"and {len(chosen) - SHOWN} more choices; selection.csv lists them")


def _exit_code(found: Run) -> int:
    return 1 if found.provenance.get("failures") or files.unusable(found) else 0


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _plain(value: object) -> str:
    return json.dumps(value.model_dump(mode="json")) if isinstance(value, Entry) else str(value)


def main() -> None:
    """Entry point: errors of the user become one sentence on stderr and exit code 2."""
    quiet_tensorflow()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    warnings.formatwarning = lambda message, *_, **__: f"rnnstudy: {message}\n"
    _import_from(Path.cwd())
    try:
        app()
    except SpecError as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except (RunError, OSError) as error:
        reason = str(error)
        if isinstance(error, OSError) and error.filename and error.strerror:
            reason = f"{error.filename}: {error.strerror.lower()}"
        errors.print(f"rnnstudy: {reason}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
