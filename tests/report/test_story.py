"""Chapters of a task's story: their order, their leads, and parts that are split between them."""

from rnnstudy.analyses import ANALYSES
from rnnstudy.analyses.chapters import CHAPTERS
from rnnstudy.core.exhibit import Matrix, Note, Table
from rnnstudy.report.contents import PagePart
from rnnstudy.report.story import chapter_of, chapters, split_part

TABLE = Table(title="t", columns={"a": [1]})
FIGURE = Matrix(title="m", values=[[0.0]], labels=["a"])


def test_all_analyses_of_the_package_have_a_chapter() -> None:
    needs_another = {"embedding", "factor_tests"}
    without = {kind for kind, analysis in ANALYSES.items() if not analysis.chapter}
    shown = {kind for kind in without if ANALYSES[kind].show is not ANALYSES["evaluation"].show}
    assert shown == needs_another
    named = {analysis.chapter for analysis in ANALYSES.values()} - {""}
    assert named <= set(CHAPTERS)


def test_an_analysis_without_a_chapter_has_that_of_its_input() -> None:
    pairs, graphs = ANALYSES["pairs"](metric="cka"), ANALYSES["graph_distances"]()
    first, second = (ANALYSES["embedding"](of=each.title) for each in (pairs, graphs))
    analyses = [pairs, graphs, first, second]
    assert [chapter_of(each, analyses) for each in analyses] == [
        "geometry", "fixed_points", "geometry", "fixed_points",
    ]  # fmt: skip
    assert chapter_of(first, [first]) == "other"


def test_chapters_follow_the_story_and_figures_lead() -> None:
    parts = [
        ("controls", True, PagePart("c", (TABLE,))),
        ("Mine", True, PagePart("mine", (TABLE, FIGURE))),
        ("geometry", False, PagePart("matrix", (FIGURE,))),
        ("geometry", True, PagePart("map", (TABLE, FIGURE))),
        ("training", True, PagePart("nothing")),
    ]
    found = chapters(parts)
    assert [chapter.title for chapter in found] == [
        CHAPTERS["training"], CHAPTERS["geometry"], "Mine", CHAPTERS["controls"],
    ]  # fmt: skip
    assert [chapter.lead for chapter in found] == [None, (1, 1), (0, 1), (0, 0)]


def test_an_analysis_is_split_by_the_chapters_of_its_exhibits() -> None:
    other = Note(title="n", text="x", chapter="linearisation")
    part = PagePart("p", (TABLE, other), fault="it raises", remark="Left out: 1.", name="raw")
    (first, own), (second, rest) = split_part(part, "fixed_points")
    assert (first, second) == ("fixed_points", "linearisation")
    assert (own.exhibits, own.fault) == ([TABLE], "it raises")
    assert (rest.exhibits, rest.fault, rest.remark, rest.name) == ([other], "", part.remark, "raw")
    ((chapter, whole),) = split_part(PagePart("p", (other,)), "fixed_points")
    assert (chapter, whole.exhibits) == ("linearisation", [other])
    (lost,) = split_part(PagePart("p", failure="no memory"), "fixed_points")
    assert lost == ("fixed_points", PagePart("p", [], "no memory"))
