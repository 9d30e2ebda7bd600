"""Tables of the page, made of the CSV files alone."""

from collections.abc import Callable, Mapping

import pandas as pd

from result_pages.markdown import folded, interval, number, probability, table
from result_pages.pictures import class_rows
from result_pages.verdict_tables import answers, control_tables, finding_table, paper_table
from result_pages.wording import TASKS, count_words
from rnnstudy.analyses.solution_classes.exhibits import class_letters

Tables = Mapping[str, pd.DataFrame]

SHOWN_CLASSES = 3
"""Classes of one combination that the page names; the rest are counted."""


def page_parts(tables: Tables, pictures: Mapping[str, str]) -> dict[str, Callable[[], str]]:
    """Return the functions that make the text of each mark of the page."""

    def of(name: str, text: Callable[[pd.DataFrame], str]) -> Callable[[], str]:
        return lambda: text(tables[name]) if len(tables.get(name, ())) else ""

    parts = {
        "answer": of("claims", answers),
        "statements": of("statements", statement_list),
        "count": of("claims", count_words),
        "findings": of("claims", finding_table),
        "networks": of("networks", network_cells),
        "attractors": of("classes", attractor_table),
        "classes": of("classes", class_tables),
        "shares": of("shares", share_cells),
        "modes": of("modes", mode_rows),
        "generalisation": of("generalisation", generalisation_rows),
        "controls": of("claims", control_tables),
        "choices": of("choices", choice_rows),
        "papers": of("claims", paper_table),
        "execution": of("execution", execution_text),
        "stages": of("stages", stage_rows),
    }
    return {**parts, **{name: lambda text=text: text for name, text in pictures.items()}}  # type: ignore[misc]


def statement_list(statements: pd.DataFrame) -> str:
    """Return the statements of verdicts as a list."""
    return "".join(f"- {sentence}\n" for sentence in statements["statement"].unique())


def network_cells(networks: pd.DataFrame) -> str:
    """Return solved networks and median losses: a row per combination, a column per condition."""

    def cell(row: pd.Series) -> str:
        diverged = f", {row['diverged']} diverged" if row["diverged"] else ""
        loss = number(row["median_loss"], ".1e") or "none"
        return f"{row['solved']} of {row['networks']}{diverged} ({loss})"

    return _by_combination(networks, cell)


def _by_combination(rows: pd.DataFrame, cell: Callable[[pd.Series], str]) -> str:
    """Return a table of one text per cell and activation, with a column per task and protocol."""
    rows = rows.assign(protocol=rows["protocol"].fillna(""))
    conditions = list(dict.fromkeys(zip(rows["task"], rows["protocol"], strict=True)))
    combinations = list(dict.fromkeys(zip(rows["cell"], rows["activation"], strict=True)))
    texts = {(r["cell"], r["activation"], r["task"], r["protocol"]): cell(r)
             for _, r in rows.iterrows()}  # fmt: skip
    head = [", ".join(filter(None, [TASKS.get(task, task), p])) for task, p in conditions]
    return table(
        ["networks", *head],
        [
            [" ".join(pair), *(texts.get((*pair, *condition), "") for condition in conditions)]
            for pair in combinations
        ],
    )


def attractor_table(classes: pd.DataFrame) -> str:
    """Return the number of networks per kind of attractors, with a column per condition."""
    rows = classes.assign(protocol=classes["protocol"].fillna(""))
    conditions = _conditions(rows)
    body = []
    for task, of_task in rows.groupby("task", sort=False):
        sizes = of_task.groupby("attractors")["networks"].sum().sort_values(ascending=False)
        named = list(sizes.index[: 2 * SHOWN_CLASSES])
        merged = of_task["attractors"].where(of_task["attractors"].isin(named), "others")
        counts = of_task.assign(kind=merged).groupby(["kind", "protocol", "activation"])[
            "networks"
        ].sum()  # fmt: skip
        kinds = named + ["others"] * (len(sizes) > len(named))
        name = TASKS.get(str(task), str(task))
        body += [
            [name, kind, *(str(counts.get((kind, *pair), 0)) for pair in conditions)]
            for kind in kinds
        ]
    return table(["task", "what attracts", *(" ".join(pair).strip() for pair in conditions)], body)


def _conditions(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs of protocol and activation, protocol by protocol."""
    return [
        (protocol, activation)
        for protocol in dict.fromkeys(rows["protocol"])
        for activation in dict.fromkeys(rows["activation"])
    ]


def class_tables(classes: pd.DataFrame) -> str:
    """Return the classes of each combination, one folded table per task."""
    return "".join(
        folded(
            f"Classes of the {TASKS.get(str(task), str(task))}",
            _letter_list(rows)
            + _by_combination(_joined_classes(rows), lambda row: str(row["text"])),
        )
        for task, rows in classes.groupby("task", sort=False)
    )


def _letter_list(rows: pd.DataFrame) -> str:
    """Return the classes that the figure names by letters, as a list; empty without any."""
    letters = class_letters(class_rows(rows)[0])
    lines = [f"- {letter}: {name}\n" for name, letter in letters.items()]
    return "".join([*lines, "\n"] if lines else [])


def _joined_classes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per combination with its classes in words, the most frequent first."""
    group = ["task", "protocol", "cell", "activation"]
    filled = rows.assign(protocol=rows["protocol"].fillna(""))
    return pd.DataFrame(
        [
            {**dict(zip(group, key, strict=True)), "text": _class_words(each)}
            for key, each in filled.groupby(group, sort=False)
        ]
    )


def _class_words(rows: pd.DataFrame) -> str:
    counts = rows.groupby("class")["networks"].sum().sort_values(ascending=False, kind="stable")
    shown = [f"{count} of {name}" for name, count in counts.iloc[:SHOWN_CLASSES].items()]
    rest = counts.iloc[SHOWN_CLASSES:]
    other = [f"{rest.sum()} of {len(rest)} other classes"] if len(rest) else []
    return "; ".join([*shown, *other])


def share_cells(shares: pd.DataFrame) -> str:
    """Return explained shares with intervals and p: a row per kind of distances."""
    main = shares[~shares["factor"].str.contains(" x ")]
    factors = list(dict.fromkeys(main["factor"]))
    cells = {
        (r.task, r.distances, r.factor): f"{interval(r.share, r.low, r.high)}, p {probability(r.p)}"
        + (f", dispersion p {probability(r.dispersion_p)}" if r.dispersion_p < 0.05 else "")
        for r in main.itertuples()
    }
    pairs = dict.fromkeys(zip(main["task"], main["distances"], strict=True))
    return table(
        ["task", "distances", *factors],
        [
            [TASKS.get(task, task), DISTANCES.get(name, name),
             *(cells.get((task, name, factor), "") for factor in factors)]
            for task, name in pairs
        ],
    )  # fmt: skip


DISTANCES = {
    "svcca": "SVCCA (geometry)",
    "cka": "CKA (geometry)",
    "graph_distances_topology_unweighted": "graphs of fixed points (topology)",
    "point_geometry_oscillations": "arrangement of fixed points",
    "point_geometry_line_attractor": "arrangement of slow points",
}
"""Analysis of distances -> its name on the page."""


def mode_rows(modes: pd.DataFrame) -> str:
    """Return the median numbers of modes, one row per combination."""
    first = ["protocol", "cell", "activation"]
    criteria = [c for c in modes if c not in ("task", *first, "networks", "with_slow_points")]
    rows = [
        [*(str(row[name] or "") for name in first),
         f"{row['with_slow_points']} of {row['networks']}",
         *(number(row[name], "g") for name in criteria)]
        for _, each in modes.fillna({"protocol": ""}).groupby("protocol", sort=False)
        for _, row in each.iterrows()
    ]  # fmt: skip
    return table([*first, "with slow points", *criteria], rows)


def generalisation_rows(rows: pd.DataFrame) -> str:
    """Return the range over cells of median accuracies: a row per shift, a column per condition."""
    filled = rows.assign(protocol=rows["protocol"].fillna(""))
    conditions = _conditions(filled)
    body = []
    for (task, shift, value), each in filled.groupby(["task", "shift", "value"], sort=False):
        by_condition = each.groupby(["protocol", "activation"])["accuracy"].agg(["min", "max"])
        cells = [
            f"{by_condition.loc[pair, 'min']:.2f} to {by_condition.loc[pair, 'max']:.2f}"
            if pair in by_condition.index
            else ""
            for pair in conditions
        ]
        body.append([TASKS.get(str(task), str(task)), f"{shift}: {value:g}", *cells])
    return table(["task", "shift", *(" ".join(pair).strip() for pair in conditions)], body)


def choice_rows(choices: pd.DataFrame) -> str:
    """Return one row per specification curve."""
    rows = [
        [f"`{r.curve}`", TASKS.get(r.task, r.task), f"{r.supporting} of {r.tested}",
         str(r.specifications - r.tested), str(r.uninformative),
         f"{number(r.median_effect)} ({number(r.lowest)} to {number(r.highest)})",
         probability(r.p)]
        for r in choices.itertuples()
    ]  # fmt: skip
    head = ["curve", "task", "specifications that support", "not testable", "uninformative",
            "median effect (range)", "joint p"]  # fmt: skip
    return table(head, rows)


def execution_text(execution: pd.DataFrame) -> str:
    """Return time, machine and versions of the last execution."""
    rows = execution[execution["value"].notna()].astype(str)
    return table(["last execution", ""], rows.to_numpy().tolist())


def stage_rows(stages: pd.DataFrame) -> str:
    """Return the kinds of jobs that took longest."""
    ordered = stages.sort_values("seconds", ascending=False, kind="stable").iloc[:12]
    rows = [[r.kind, str(r.jobs), f"{r.seconds / 60:.1f}"] for r in ordered.itertuples()]
    return table(["jobs", "number", "minutes"], rows)
