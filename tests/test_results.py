"""The tool that writes a run's results down: pages say what the run has found, and no more."""

import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.image
import pandas as pd
import pytest
from documents import anchors
from pretended_study import pretended_provenance, pretended_run

from rnnstudy.study.errors import RunError
from rnnstudy.study.results.run import Run, open_run
from rnnstudy.study.spec.study import load_study

SCRIPT = Path(__file__).parents[1] / "tools" / "results.py"

SAMENESS, CELL = "solution_classes_alike_across_cell", "svcca_depends_on_cell"

WORDS = {
    (f"{SAMENESS}_tuned", "flip_flop"): "alike",
    (f"{SAMENESS}_standard", "flip_flop"): "alike",
    (f"{SAMENESS}_tuned", "sine"): "alike",
    (f"{SAMENESS}_standard", "sine"): "different",
    (f"{SAMENESS}_tuned", "integration"): "undecided",
    (f"{SAMENESS}_standard", "integration"): "uninformative",
    (f"{CELL}_tuned", "flip_flop"): "supported",
    ("cka_depends_on_cell_tuned", "flip_flop"): "supported",
    (f"{CELL}_tuned", "sine"): "supported",
    ("cka_depends_on_cell_tuned", "sine"): "not supported",
    (f"{CELL}_standard", "flip_flop"): "supported",
    ("cka_depends_on_cell_standard", "flip_flop"): "supported",
    (f"{CELL}_standard", "sine"): "supported",
    ("cka_depends_on_cell_standard", "sine"): "supported",
    ("cube_tuned", "flip_flop"): "not supported",
    ("cube_with_any_centre_tuned", "flip_flop"): "supported",
    ("cube_standard", "flip_flop"): "not supported",
    ("cube_with_any_centre_standard", "flip_flop"): "not supported",
}
"""Verdicts on some claims; the others go round through all words."""


@pytest.fixture(scope="module")
def tool() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        yield importlib.import_module("results")


@pytest.fixture(scope="module")
def run(tmp_path_factory: Any) -> Run:
    folder = tmp_path_factory.mktemp("study") / "run"
    made = pretended_run(folder, words=WORDS)
    (folder / "provenance.json").write_text(json.dumps(pretended_provenance()))
    return made


@pytest.fixture(scope="module")
def written(tool: Any, run: Run, tmp_path_factory: Any) -> Path:
    """A folder with the pages of the run, and a README.md beside it."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "README.md").write_text("Before.\n<!-- statements -->\nold\n<!-- end -->\nAfter.\n")
    tool.main(str(run.directory), str(folder / "results"), str(folder / "README.md"))
    return folder / "results"


@pytest.fixture(scope="module")
def page(written: Path) -> str:
    return (written / "README.md").read_text(encoding="utf-8")


def part(page: str, name: str) -> str:
    """Return what stands at a mark of a page."""
    (text,) = re.findall(rf"<!-- {name} -->\n(.*?)<!-- end -->", page, flags=re.DOTALL)
    return text


def test_the_answer_has_each_verdict_with_its_interval(page: str) -> None:
    first, second, *_ = part(page, "answer").splitlines()[2:]
    assert first == (
        "| Solutions are alike across cells (tuned) | **alike** 0.02 (0.00 to 0.04) | "
        "**alike** 0.02 (0.00 to 0.04) | **undecided** 0.10 (0.08 to 0.12) |"
    )
    assert "**alike** 0.02" in second
    assert "**different** 0.31 (0.29 to 0.33) | **uninformative**" in second


def test_sentences_name_verdicts_and_the_cases_of_each(page: str) -> None:
    text = part(page, "statements")
    assert (
        "- **Are solutions alike across cells?** Alike: 3-bit memory (both protocols); sine (tuned "
        "protocol). Undecided: integration (tuned protocol). Different: sine (standard protocol). "
        "Uninformative: integration (standard protocol).\n"
    ) in text
    assert "Mixed (SVCCA supported, CKA not supported): sine (tuned protocol)." in text
    assert (
        "Mixed (strictly not supported, with any centre supported): tuned protocol. "
        "Not supported: standard protocol."
    ) in text


def test_near_duplicates_are_one_finding(page: str, run: Run) -> None:
    assert part(page, "count").startswith("The 80 verdicts are 23 findings, each under 2 protocols")
    assert len(run.claims) == 80
    rows = part(page, "findings").splitlines()[2:]
    assert len(rows) == 23
    assert sum(row.startswith("| Geometry depends on the cell (SVCCA, CKA)") for row in rows) == 3
    assert sum("of a cube" in row for row in rows) == 2


def test_every_statement_has_its_rows_in_the_table_of_claims(written: Path, page: str) -> None:
    claims, rows = (pd.read_csv(written / f"{n}.csv") for n in ("claims", "statements"))
    sentences = [line[2:] for line in part(page, "statements").splitlines()]
    assert sentences == list(dict.fromkeys(rows["statement"]))
    found = rows.merge(claims, on=["claim", "task", "verdict"], how="left", validate="1:1")
    assert found["rule"].notna().all()
    assert len(rows) == len(claims)
    assert all(row.verdict in row.statement.lower() for row in rows.itertuples())
    readme = (written.parent / "README.md").read_text(encoding="utf-8")
    assert (
        readme == f"Before.\n<!-- statements -->\n{part(page, 'statements')}<!-- end -->\nAfter.\n"
    )


def test_numbers_are_those_of_the_run(written: Path, page: str, run: Run) -> None:
    claims = pd.read_csv(written / "claims.csv")
    assert claims["effect"].to_numpy() == pytest.approx(
        run.claims["effect"].to_numpy(float), rel=1e-3, nan_ok=True
    )
    assert set(claims["protocol"]) == {"tuned", "standard"}
    networks = part(page, "networks").splitlines()
    assert networks[0].startswith("| networks | 3-bit memory, tuned | 3-bit memory, standard |")
    assert networks[-1].startswith("| lstm relu | 1 of 1 (2.0e-03) | 0 of 1 (3.0e-01) |")
    table = pd.read_csv(written / "networks.csv").set_index(["task", "protocol", "cell"])
    assert table["networks"].sum() == 48
    assert table.loc[("sine", "standard", "lstm"), "share"].tolist() == [1.0, 0.0]
    # Solved networks only: 8 tanh and 7 relu memories.
    classes = pd.read_csv(written / "classes.csv")
    memory = classes[classes["task"] == "flip_flop"].groupby("class")["networks"].sum()
    assert memory.to_dict() == {"8 + 12 + 6 + 1 points": 8, "8 + 11 points": 7}
    assert "| 3-bit memory | 8 points | 4 | 4 | 4 | 3 |" in part(page, "attractors")
    assert "| 1 of 8 + 12 + 6 + 1 points | 1 of 8 + 12 + 6 + 1 points |" in part(page, "classes")
    assert "| tuned | vanilla | tanh | 1 of 1 | 1 | 1 | 1 | 1 | 1 | 0 | 4 |" in part(page, "modes")
    assert "| longer trials: 5 | 0.90 to 0.90 | 0.70 to 0.70 |" in part(page, "generalisation")
    shares = part(page, "shares")
    assert "| SVCCA (geometry) | 0.40 (0.36 to 0.44), p 0.001, dispersion p 0.02 |" in shares
    assert "cell x activation" not in shares
    row = "| `choices_line` | integration | 2 of 3 | 1 | 1 | 0.30 (0.10 to 0.40) | 0.01 |"
    assert row in part(page, "choices")
    assert "| train | 2 | 1.5 |" in part(page, "stages")


def test_controls_stand_beside_each_verdict(page: str) -> None:
    rows = [line for line in part(page, "controls").splitlines() if line.startswith("| `")]
    assert len(rows) == 80
    row = next(line for line in rows if line.startswith(f"| `{SAMENESS}_standard` | sine"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2:4] == ["**different**", "0.31 (0.29 to 0.33)"]
    assert cells[5:9] == [
        "0.05",
        "0.26 (0.00 to 0.90)",
        "yes: 1 of 1 controls (p 1e-06)",
        "uninformative; shuffled labels: 1 of 2 give a finding",
    ]
    assert cells[9] == "24; left out: 1 not solved (all of lstm relu standard)"


def test_statements_of_papers_stand_beside_verdicts(page: str) -> None:
    rows = part(page, "papers").splitlines()[2:]
    assert len(rows) == 9
    assert rows[7].endswith(part(page, "statements").splitlines()[1].partition("?** ")[2] + " |")


def test_figures_are_drawn_and_shown(written: Path, page: str) -> None:
    shown = re.findall(r"\]\(([\w-]+\.png)\)", page)
    assert sorted(shown) == sorted(path.name for path in written.glob("*.png"))
    assert {"sameness.png", "classes-sine.png", "shares.png", "modes.png"} <= set(shown)
    for name in shown:
        picture = matplotlib.image.imread(written / name)
        assert min(picture.shape[:2]) > 200
        assert picture[..., :3].std() > 0.01


def test_links_within_the_page_have_their_headings(written: Path, page: str) -> None:
    links = re.findall(r"\]\(#([\w-]+)\)", page)
    assert links
    assert set(links) <= anchors(written / "README.md")


def test_words_by_hand_stay_and_a_filled_page_does_not_change(
    tool: Any, written: Path, page: str
) -> None:
    by_hand = page.replace("## Answer\n", "## Answer\n\nBy hand.\n")
    assert tool.filled_page(by_hand, written) == by_hand
    emptied = page.replace(part(page, "findings"), "").replace(part(page, "modes"), "old\n")
    assert tool.filled_page(emptied, written) == page


def test_a_run_that_is_not_finished_is_refused_and_nothing_is_written(
    tool: Any, run: Run, tmp_path: Path
) -> None:
    shutil.copytree(run.directory, tmp_path / "run")
    part_of_it = open_run(tmp_path / "run")
    result = part_of_it.index.selected.shared["claim cube_tuned", "flip_flop"]
    part_of_it.store.remove(result.address(part_of_it.store))
    said = "lacks 1 of 80 verdicts, such as that on cube_tuned of flip_flop. Run the study"
    with pytest.raises(RunError, match=said):
        tool.main(str(tmp_path / "run"), str(tmp_path / "docs"))
    assert not (tmp_path / "docs").exists()


def test_a_part_of_a_run_is_written_with_partial(
    tool: Any, run: Run, written: Path, tmp_path: Path
) -> None:
    shutil.copytree(run.directory, tmp_path / "run")
    part_of_it = open_run(tmp_path / "run")
    result = part_of_it.index.selected.shared["claim cube_tuned", "flip_flop"]
    part_of_it.store.remove(result.address(part_of_it.store))
    tool.main(str(tmp_path / "run"), str(tmp_path / "docs"), partial=True)
    whole, claims = (pd.read_csv(each / "claims.csv") for each in (written, tmp_path / "docs"))
    is_missing = (claims["claim"] == "cube_tuned") & (claims["task"] == "flip_flop")
    assert claims.loc[is_missing, "verdict"].tolist() == ["not computed"]
    assert claims.loc[is_missing, "effect"].isna().all()
    others = claims.loc[~is_missing, ["claim", "task", "effect"]]
    pd.testing.assert_frame_equal(others, whole.loc[~is_missing, ["claim", "task", "effect"]])
    page = (tmp_path / "docs" / "README.md").read_text(encoding="utf-8")
    assert "not computed" in part(page, "statements").lower()
    assert len(part(page, "findings").splitlines()) == 25


def test_figures_of_tables_are_drawn_again_without_the_run(
    tool: Any, written: Path, page: str, tmp_path: Path
) -> None:
    folder = tmp_path / "results"
    shutil.copytree(written, folder)
    redrawn = [f"{name}.png" for name in (
        "choices-line", "choices-several-modes", "classes-flip_flop", "classes-integration",
        "classes-sine", "shares",
    )]  # fmt: skip
    for name in redrawn:
        (folder / name).unlink()
    tool.redraw(str(folder))
    assert (folder / "README.md").read_text(encoding="utf-8") == page
    for name in redrawn:
        drawn, before = (matplotlib.image.imread(each / name) for each in (folder, written))
        # The files have four digits of each number: the edge of a mark may differ in a pixel.
        assert drawn.shape == before.shape
        assert (drawn != before).mean() < 1e-3


def test_an_unknown_mark_is_named_and_nothing_is_written(
    tool: Any, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text("<!-- tables -->\n<!-- end -->\n")
    with pytest.raises(LookupError, match="no table 'tables' for the page; there are: answer, "):
        tool.main(str(run.directory), str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_every_claim_of_the_confirmatory_study_answers_a_question(tool: Any) -> None:
    wording = importlib.import_module("result_pages.wording")
    study = load_study(SCRIPT.parents[1] / "specs" / "universality-confirmatory.yaml")
    asked = [name for q in wording.QUESTIONS for topic in q.topics for name in topic.claims]
    bases = {claim.title.removesuffix(f"_{claim.where['protocol']}") for claim in study.claims}
    assert sorted(asked) == sorted(bases)


RESULTS = SCRIPT.parents[1] / "docs" / "results"


@pytest.mark.parametrize("page", [RESULTS / "README.md", RESULTS.parents[1] / "README.md"])
def test_the_pages_of_the_project_say_what_its_tables_say(tool: Any, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<!-- statements -->\n- **" in text
    assert tool.filled_page(text, RESULTS) == text


def test_every_sentence_of_the_project_has_its_rows_in_the_table_of_claims() -> None:
    said, claims = (pd.read_csv(RESULTS / f"{name}.csv") for name in ("statements", "claims"))
    rows = [set(map(tuple, table[["claim", "task", "verdict"]].values)) for table in (said, claims)]
    assert len(claims) == len(rows[1]) == 80
    assert rows[0] == rows[1]


def test_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    for words, said in {
        (): "results.py takes two folders, that of a run and the one to write to, and a page",
        ("--redraw",): "results.py takes two folders, that of a run and the one to write to",
        ("--redraw", str(tmp_path)): "results.py: ",
        (str(tmp_path), str(tmp_path)): "results.py: ",
    }.items():
        found = subprocess.run(
            [sys.executable, str(SCRIPT), *words], capture_output=True, text=True
        )
        assert found.returncode == 1
        assert found.stderr.startswith(said)
        assert found.stderr.count("\n") == 1
