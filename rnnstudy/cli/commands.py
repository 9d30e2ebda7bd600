"""The `rnnstudy` command: each subcommand parses, calls one function and prints.

Exit codes: 0 done; 1 finished, but a step failed or a network is unusable in a way that the spec
forbids; 2 the spec or the arguments are wrong; 128 + n interrupted by signal n, which is 130 after
Ctrl-C, 143 after SIGTERM and 129 after SIGHUP.
"""

import json
import logging
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import rnnstudy
from rnnstudy import runner
from rnnstudy.cli import progress as terminal
from rnnstudy.cli.catalogues import entry_lines, overview_lines
from rnnstudy.cli.error_messages import error_message, is_exit_of_command
from rnnstudy.cli.figures import figure_lines, name_lines
from rnnstudy.cli.shipped_specs import shipped_spec
from rnnstudy.cli.starter_spec import starter_spec
from rnnstudy.cli.summaries.documents import (
    catalogue_document,
    claims_document,
    json_text,
    plan_document,
    run_document,
)
from rnnstudy.cli.summaries.plan_summary import show_plan
from rnnstudy.cli.summaries.run_summary import SHOWN, show_findings, show_run
from rnnstudy.cli.terminal import SafeConsole, SafeFormatter, printable_lines
from rnnstudy.cli.upkeep import clean_lines, size_line, verify_lines
from rnnstudy.core.files import make_folder, short_name
from rnnstudy.core.lazy_imports import quiet_tensorflow, refuse_other_backends
from rnnstudy.core.source import plugins
from rnnstudy.report.build import write_report
from rnnstudy.report.explorer.single_file import write_single_file
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.memory import refuse_oversized
from rnnstudy.study.execution.shards import has_open_shards, shard_results
from rnnstudy.study.execution.signals import exit_code, interruptible
from rnnstudy.study.plan.job import count_label
from rnnstudy.study.plan.plan import Plan, make_plan
from rnnstudy.study.results import files
from rnnstudy.study.results.code import edited_code_lines, has_copies
from rnnstudy.study.results.run import Run, open_run, store_of
from rnnstudy.study.spec.checks import refuse_wrong_trials
from rnnstudy.study.spec.options import (
    cluster_settings,
    names_cluster,
    refuse_unconfirmed_cluster,
)
from rnnstudy.study.spec.schema import schema as json_schema
from rnnstudy.study.spec.study import Study, build_study, load_study
from rnnstudy.study.spec_text.reader import parse_document
from rnnstudy.study.store import DAMAGED

ABOUT = "Study populations of recurrent neural networks as dynamical systems."

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=ABOUT,
)
console = SafeConsole()
errors = SafeConsole(stderr=True)

Spec = Annotated[Path | None, typer.Argument(help="The study's YAML file.", show_default=False)]
Directory = Annotated[Path, typer.Argument(help="A run directory.", show_default=False)]
Out = Annotated[
    Path | None, typer.Option("--out", help="Run directory; default: runs/<study name>.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH.TO.KEY=VALUE", help="Override a field of the spec."),
]

ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="local:N|tcp://HOST:PORT|slurm|pbs|lsf|sge",
        help="Let a cluster do the jobs.",
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option("--shard", metavar="K/N", help="Do the K-th of N parts, as in a job array."),
]

Verbose = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        help="Show all kinds of jobs, and log them; twice: with tracebacks.",
    ),
]

AllowPlugins = Annotated[
    bool,
    typer.Option("--allow-plugins", help="Run code of users: import the classes that it names."),
]


SingleFile = Annotated[
    bool, typer.Option("--single-file", help="Write report.html, too: one page to mail.")
]
PageSize = Annotated[
    float, typer.Option("--size", min=1, metavar="MB", help="Largest size of that page.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document; the guide lists its keys.")
]

Cells = Annotated[
    list[str], typer.Option("--cell", help="Cell, as in `list cells`; several if repeated.")
]
Activations = Annotated[
    list[str] | None,
    typer.Option(
        "--activation",
        help="tanh or relu; several if repeated. Default: tanh, or what the cell takes.",
    ),
]
Units = Annotated[
    list[int], typer.Option("--units", help="Units of a network; several if repeated.")
]
Example = Annotated[
    str | None,
    typer.Option("--example", metavar="NAME", help="A spec of the package, in place of SPEC."),
]


class Catalogue(StrEnum):
    """Catalogues that `list` shows."""

    tasks = "tasks"
    losses = "losses"
    cells = "cells"
    analyses = "analyses"
    metrics = "metrics"
    claims = "claims"


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        _say(f"rnnstudy {rnnstudy.__version__}")
        raise typer.Exit


@app.callback(help=ABOUT)
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def init(
    name: Annotated[
        Path, typer.Argument(help="Name of the study; its spec is written to NAME.yaml.")
    ] = Path("study"),
    task: Annotated[str, typer.Option("--task", help="Task, as in `list tasks`.")] = "flip_flop",
    cells: Cells = ["gru"],  # noqa: B006 - Typer copies it
    activations: Activations = None,
    units: Units = [32],  # noqa: B006
    seeds: Annotated[int, typer.Option("--seeds", help="Networks of each kind.")] = 3,
    steps: Annotated[
        int | None, typer.Option("--steps", help="Steps of training; default: those of the task.")
    ] = None,
) -> None:
    """Write a commented spec to start from."""
    path = name if name.suffix == ".yaml" else name.with_name(f"{name.name}.yaml")
    text = starter_spec(
        path.stem,
        task,
        cells=cells,
        activations=activations,
        units=units,
        seeds=seeds,
        steps=steps,
    )
    build_study(parse_document(text, str(path)))  # refuses wrong options before a file is written
    try:
        make_folder(path.parent)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RunError(f"{path} must not exist yet, but it does. Choose another name.") from None
    _say(f"Wrote {path}. Next: rnnstudy run {path}")


@app.command(help="Train, analyse and report what the spec asks for; run it again to resume.")
def run(
    spec: Spec = None,
    out: Out = None,
    sets: Sets = None,
    allow_plugins: AllowPlugins = False,
    cluster: ClusterOption = None,
    shard: ShardOption = None,
    verbose: Verbose = 0,
    example: Example = None,
) -> None:
    """Train the networks of a spec, analyse them and write a report. A second call resumes it.

    Parameters
    ----------
    spec
        The study's YAML file.
    out
        Run directory; default: `runs/<study name>`.
    sets
        Overrides of fields of the spec, each `PATH.TO.KEY=VALUE`.
    allow_plugins
        If true, classes of users are imported from the folder of the spec, or from here.
    cluster
        Cluster that does the jobs: `local:4`, `tcp://host:8786`, or the kind of a batch scheduler.
    shard
        Part of the work, like `3/20`. The shard that ends last completes the run.
    verbose
        0 logs warnings, 1 logs jobs as well, 2 adds tracebacks.
    example
        Name of a spec that comes with the package, in place of a file.

    Raises
    ------
    typer.Exit
        Code 1 if a step failed or a result is damaged; 128 + n after signal n; else 0.

    Examples
    --------
    >>> from pathlib import Path
    >>> from rnnstudy.cli.commands import run
    >>> run(Path("study.yaml"), sets=["training.steps=100"])  # doctest: +SKIP
    """
    _log(verbose)
    spec = _path_of(spec, example)
    study = _load(spec, sets, allow_plugins, cluster)
    directory = out or files.default_directory(study)
    try:
        results = runner.run(
            study,
            directory,
            progress=_Progress(study, whole=verbose > 0).of_plan,
            spec=spec,
            command=["rnnstudy", *sys.argv[1:]],
            shard=shard,
            allow_plugins=True,  # what the spec must not do is refused above
        )
    except KeyboardInterrupt as interruption:
        errors.say(
            f"Interrupted. What is done is kept in {directory}; run the same command to go on."
        )
        raise typer.Exit(exit_code(interruption)) from None
    if shard is not None and has_open_shards(directory):
        raise typer.Exit(_show_shard(results, shard))
    show_run(results, console)
    damaged = results.store.damaged
    for key in damaged[:SHOWN]:
        _say(f"damaged, and moved to {results.store.root / DAMAGED}: {key}")
    if damaged and not results.failures():
        # Damage inside a record shows when the report reads it.
        count = count_label(len(damaged), "result")
        _say(f"{count} were damaged; run the same command to mend them")
        raise typer.Exit(1)
    raise typer.Exit(_exit_code(results))


def _show_shard(results: Run, shard: str) -> int:
    """Print how far a run is after a shard that is not the last; return the exit code."""
    table = results.members
    trained = int((table["status"] != "missing").sum())
    failed = [r for r in shard_results(results.directory, shard) if r.failure]
    for result in failed:
        _say(f"failed: {result.label}: {result.failure}")
    _say(
        f"Shard {shard} has ended; {trained} of {len(table)} networks are trained. The shard that "
        "ends last completes the run, or the same command without --shard."
    )
    return 1 if failed else 0


class _Progress:
    """Progress in the terminal. The first plan of a run is shown."""

    def __init__(self, study: Study, *, whole: bool) -> None:
        self.study, self.whole, self.shown = study, whole, False

    @contextmanager
    def of_plan(self, plan: Plan) -> Iterator[terminal.Lines | terminal.Bars]:
        """Show the progress of a plan for the time of its execution."""
        if not self.shown:
            show_plan(self.study, plan, console, whole=self.whole)
            self.shown = True
        with terminal.progress_of(plan, console) as listener:
            yield listener


@app.command()
def check(
    spec: Spec = None,
    out: Out = None,
    sets: Sets = None,
    allow_plugins: AllowPlugins = False,
    cluster: ClusterOption = None,
    verbose: Verbose = 0,
    example: Example = None,
    as_json: AsJson = False,
) -> None:
    """Validate a spec and show what it would do, without doing it."""
    _log(verbose)
    refuse_other_backends()
    study = _load(_path_of(spec, example), sets, allow_plugins, cluster)
    directory = out or files.default_directory(study)
    files.refuse_unusable_folders(study, directory)
    study.runtime.refuse_absent_devices()
    store = store_of(study, directory)
    store.refuse_unusable(may_be_absent=True)
    plan = make_plan(study, store)
    if not as_json:
        show_plan(study, plan, console, whole=verbose > 0)
    refuse_oversized([*plan.todo, *plan.waiting], study.runtime)
    refuse_wrong_trials(study.tasks)
    notes = list(edited_code_lines(study, plan, store, directory))
    if as_json:
        places = {"directory": str(directory), "notes": notes}
        _print_json({**plan_document(study, plan), **places})
        return
    for line in notes:
        _say(line)


@app.command()
def status(
    directory: Directory,
    allow_plugins: AllowPlugins = False,
    verbose: Verbose = 0,
    as_json: AsJson = False,
) -> None:
    """Show how far a run is, and how its networks fare."""
    _log(verbose)
    results = _open(directory, allow_plugins).at_one_time()
    plan = results.plan()
    if as_json:
        _print_json(run_document(results, plan))
        return
    show_plan(results.study, plan, console, whole=verbose > 0)
    show_run(results, console)
    _say(size_line(results, plan))


@app.command()
def claims(
    directory: Directory, allow_plugins: AllowPlugins = False, as_json: AsJson = False
) -> None:
    """Show all claims of a run: verdict, effect, p, networks, controls and reason."""
    results = _open(directory, allow_plugins).at_one_time()
    if as_json:
        _print_json(claims_document(results))
        return
    verdicts = results.verdicts()
    if not verdicts:
        _say("The spec has no claims. `rnnstudy list claims` shows what it can name.")
    show_findings(verdicts, results, console, whole=True)


@app.command(name="verify")
def verify_(
    directory: Directory,
    recompute: Annotated[
        int, typer.Option("--recompute", min=0, help="Number of results to compute again.")
    ] = 0,
    allow_plugins: AllowPlugins = False,
    verbose: Verbose = 0,
) -> None:
    """Check all records of a run, and compute some of them again. Nothing is changed."""
    _log(verbose)
    is_well = True
    for line, is_good in verify_lines(_open(directory, allow_plugins), recompute):
        _say(line)
        is_well &= is_good
    raise typer.Exit(0 if is_well else 1)


@app.command()
def clean(
    directories: Annotated[
        list[Path], typer.Argument(help="A run directory, or all that share a store.")
    ],
    delete: Annotated[bool, typer.Option("--delete", help="Remove what is listed.")] = False,
    shared: Annotated[
        bool,
        typer.Option("--shared", help="With --delete: also from a store outside of DIRECTORIES."),
    ] = False,
    allow_plugins: AllowPlugins = False,
) -> None:
    """List what no spec refers to in a store, and remove it with --delete."""
    opened = [_open(directory, allow_plugins) for directory in directories]
    with ExitStack() as locks:
        for directory in directories:
            locks.enter_context(files.directory_lock(directory))
        for each in opened:
            files.refuse_unusable_folders(each.study, each.directory)
        for line in clean_lines(opened, delete=delete, shared=shared):
            _say(line)


@app.command()
def report(
    directory: Directory,
    allow_plugins: AllowPlugins = False,
    single_file: SingleFile = False,
    size: PageSize = 20.0,
) -> None:
    """Write the report of a run again, and with --single-file a page that can be mailed."""
    results = _open(directory, allow_plugins)
    try:
        with files.directory_lock(directory), interruptible():
            page, faults = write_report(results)
            if single_file:
                single = write_single_file(page.parent, directory / "report.html", size)
                _say(
                    f"Page in one file: {single.path}, {single.size / 1e6:.1f} MB, with "
                    f"{single.networks} of {count_label(single.total, 'network')} in full"
                )
    except KeyboardInterrupt as interruption:
        raise typer.Exit(exit_code(interruption)) from None
    for fault in faults:
        _say(f"failed: {fault}")
    _say(f"Report: {page}")
    raise typer.Exit(1 if faults else 0)


@app.command()
def figure(
    directory: Directory,
    name: Annotated[
        str | None, typer.Argument(help="A figure or a panel. Default: list all.")
    ] = None,
    style: Annotated[
        Path | None, typer.Option("--style", help="A style file of matplotlib.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the files.")] = Path("figures"),
    task: Annotated[str | None, typer.Option("--task", help="A task's name.")] = None,
    where: Annotated[
        list[str], typer.Option("--where", metavar="FIELD=VALUE", help="Only these networks.")
    ] = [],  # noqa: B006 - Typer copies it
    member: Annotated[
        str | None, typer.Option("--member", help="The network that is shown as an example.")
    ] = None,
    width: Annotated[
        str | None, typer.Option("--width", help="single (85 mm) or double (174 mm).")
    ] = None,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Draw a figure for a paper as SVG, PDF and CSV, or list what a run can draw."""
    results = _open(directory, allow_plugins)
    if name is None:
        lines = name_lines(results, task)
    else:
        options: dict[str, Any] = {"task": task, "member": member, "width": width}
        lines = figure_lines(results, name, out, where=where, style=style, **options)
    for line in lines:
        _say(line)


@app.command()
def export(
    directory: Directory,
    member: Annotated[str, typer.Argument(help="A network's name, as in members.csv.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Keras file; default: MEMBER.keras.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Use layers of Keras alone: loads without rnnstudy.")
    ] = False,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Write a trained network as a Keras file."""
    results = _open(directory, allow_plugins)
    path = files.export(results, member, out or Path(f"{short_name(member)}.keras"), plain=plain)
    _say(f"Wrote {path}")
    trained = results.trained_network(member)
    if trained.status[0] == "diverged":
        _say(f"This network diverged at step {trained.diverged_at[0]}; its last finite weights.")


@app.command("list")
def list_(
    catalogue: Annotated[
        Catalogue | None, typer.Argument(help="Default: all of them, and what suits which task.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what a spec can name of a kind, with its fields."""
    if as_json:
        _print_json(catalogue_document(catalogue and catalogue.value))
        return
    for line in overview_lines() if catalogue is None else entry_lines(catalogue.value):
        console.print(line)


@app.command()
def schema() -> None:
    """Print the JSON Schema of specs, for editors."""
    sys.stdout.write(json.dumps(json_schema(), indent=1) + "\n")


def _path_of(spec: Path | None, example: str | None) -> Path:
    """Return the path of the spec that the arguments name, by its path or as an example."""
    if example is not None and spec is None:
        return shipped_spec(example)
    if spec is None or example is not None:
        raise RunError("a spec must be named once. Give its path, or --example NAME.")
    return spec


def _load(
    spec: Path, sets: list[str] | None, allow_plugins: bool, cluster: str | None = None
) -> Study:
    """Return the study of a spec, on the cluster that the command line names."""
    if allow_plugins:
        plugins.allow_plugins(spec.parent, Path.cwd())
    elif plugins.is_confirmed(spec.parent):
        plugins.allow_plugins(spec.parent)
    settings = sets or []
    study = load_study(spec, settings)
    if added := cluster_settings(cluster, study.runtime.cluster):
        settings = [*settings, *added]
        study = load_study(spec, settings)
    if not names_cluster(settings):
        refuse_unconfirmed_cluster(study.runtime.cluster)
    return study


def _open(directory: Path, allow_plugins: bool = False) -> Run:
    """Return the results in a directory; with classes of users from its copies.

    With the switch they are searched in the working directory, too.
    """
    if not allow_plugins and not plugins.is_confirmed(directory):
        return open_run(directory)
    plugins.allow_plugins(*([Path.cwd()] if allow_plugins else []))
    return open_run(directory, code=has_copies(directory), allow_plugins=True)


def _log(verbose: int) -> None:
    """Log the package's messages to stderr: of jobs with -v, with tracebacks with -vv."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("rnnstudy")
    logger.handlers = [handler]
    logger.setLevel([logging.WARNING, logging.INFO, logging.DEBUG][min(verbose, 2)])


def _exit_code(results: Run) -> int:
    return 1 if results.failures() or results.faults or files.unusable(results) else 0


def _print_json(document: Mapping[str, Any]) -> None:
    sys.stdout.write(f"{json_text(document)}\n")


def _say(line: str) -> None:
    console.say(line)


def main() -> None:
    """Run the command line. An error becomes one sentence on stderr."""
    quiet_tensorflow()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    warnings.formatwarning = lambda message, *_, **__: (
        f"rnnstudy: {printable_lines(str(message))}\n"
    )
    try:
        # Without words the command shows its help.
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False, prog_name="rnnstudy")
    except BaseException as error:
        if is_exit_of_command(error):
            raise
        logging.getLogger("rnnstudy").debug("%s", traceback.format_exc())
        message, code = error_message(error)
        errors.say(message)
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
