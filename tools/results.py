"""Write the results of a finished run into docs/results:

.venv/bin/python tools/results.py runs/universality-small docs/results

Tables go between the marks in its README.md. The words around them are written by hand. So is
`standing.csv`: it says which verdicts of the run stand, and which are withdrawn.
"""

import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd

import rnnstudy
from rnnstudy.report.figures.figures import save_figure
from rnnstudy.study.errors import RunError

FIGURES = {
    "fixed-points": ("flip_flop", "fixed_points", "Fixed points of typical networks"),
    "memory-svcca": ("flip_flop", "embedding_svcca", "Networks by svcca distance"),
    "sine-svcca": ("sine", "embedding_svcca", "Networks by svcca distance"),
    "integration-svcca": ("integration", "embedding_svcca", "Networks by svcca distance"),
}
"""Name of a file -> task, analysis and title of the exhibit."""


def main(directory: str, folder: str) -> None:
    """Write `claims.csv` and the figures, and fill in the tables of `README.md`."""
    run, path = rnnstudy.open_run(directory), Path(folder)
    text = (path / "README.md").read_text(encoding="utf-8")
    exhibits = {name: exhibit(run, *where) for name, where in FIGURES.items()}
    run.claims.to_csv(path / "claims.csv", index=False, float_format="%.4g", lineterminator="\n")
    for name, figure in exhibits.items():
        save_figure(figure, path, name, formats=("png",))
    tables = {"networks": networks(run), "claims": claims(run.claims, standings(path))}
    for mark, table in tables.items():
        pattern = rf"(<!-- {mark} -->\n).*?(<!-- end -->)"
        text = re.sub(pattern, lambda m, t=table: m[1] + t + m[2], text, flags=re.DOTALL)
    (path / "README.md").write_text(text, encoding="utf-8")


def exhibit(run: Any, task: str, analysis: str, title: str) -> Any:
    """Return an exhibit of a run, or raise LookupError if the run does not have it."""
    analyses = {each.title: each for each in run.study.analyses}
    if analysis in analyses and task in {each.title for each in run.study.tasks}:
        section = run.section(task)
        is_present = section.records.get(analysis) or analysis in section.shared
        for candidate in analyses[analysis].show(section) if is_present else ():
            if candidate.title == title:
                return candidate
    raise LookupError(f"the run has no {title!r} by {analysis} of {task}")


def networks(run: Any) -> str:
    """Return one row per combination: number of solved networks and median loss, per task."""
    table = run.members
    tasks = list(dict.fromkeys(table["task"]))
    lines = [["networks", *tasks]]
    for (cell, activation), rows in table.groupby(["cell", "activation"], sort=False):
        line = [f"{cell} {activation}"]
        for task in tasks:
            members = rows[rows["task"] == task]
            solved = f"{int(members['solved'].eq(True).sum())} of {len(members)}"
            line.append(f"{solved} ({members['loss'].median():.1e})")
        lines.append(line)
    return markdown(lines)


def standings(folder: Path) -> dict[str, str]:
    """Return the standing of claims by patterns of their names, from `standing.csv`."""
    path = folder / "standing.csv"
    if not path.exists():
        return {}
    table = pd.read_csv(path)
    return dict(zip(table["pattern"], table["standing"], strict=True))


def standing_of(claim: str, standing: dict[str, str]) -> str:
    """Return the standing of the first pattern that matches the name of a claim."""
    matches = (text for pattern, text in standing.items() if re.search(pattern, claim))
    return next(matches, "not reviewed")


def claims(table: pd.DataFrame, standing: dict[str, str]) -> str:
    """Return one row per claim and task: effect, p, verdict of the rule, and its standing."""
    lines = [
        ["claim", "task", "effect (95 %)", "p", "corrected", "verdict of the rule", "standing"]
    ]
    for row in table.itertuples():
        effect = "" if pd.isna(row.effect) else f"{row.effect:.2f}"
        if not pd.isna(row.low):
            effect += f" ({row.low:.2f} to {row.high:.2f})"
        ps = ["" if pd.isna(p) else f"{p:.2g}" for p in (row.p, row.corrected_p)]
        note = f": {row.note}" if isinstance(row.note, str) and row.note else ""
        verdict = row.verdict + note
        status = standing_of(row.claim, standing)
        lines.append([f"`{row.claim}`", row.task, effect, *ps, verdict, status])
    return markdown(lines)


def markdown(lines: list[list[str]]) -> str:
    """Return a Markdown table. The first line is its head."""
    head, *body = ["| " + " | ".join(line) + " |\n" for line in lines]
    return head + "|" + "---|" * len(lines[0]) + "\n" + "".join(body)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("results.py takes two folders: that of a run, and the one to write to")
    try:
        main(*sys.argv[1:])
    except (RunError, OSError, LookupError) as error:
        sys.exit(f"results.py: {error}")
