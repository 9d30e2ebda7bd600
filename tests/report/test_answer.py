"""Leading findings: one per question, in the order of the spec, whatever the results are."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from rnnstudy.analyses import ANALYSES
from rnnstudy.claims import CLAIMS
from rnnstudy.claims.evidence.record import ControlResult, Evidence, collect_controls
from rnnstudy.core.exhibit import Matrix, Table
from rnnstudy.report.answer import Stories, figure_of, finding_row, findings
from rnnstudy.report.contents import PageChapter, PagePart, PageSection
from rnnstudy.study.results.claim_texts import texts_of
from rnnstudy.study.results.verdict_table import ClaimResult
from rnnstudy.tasks import TASKS

MEMORY = TASKS["flip_flop"]()
SINE = TASKS["sine"]()
TITLES = {"svcca": "SVCCA distances", "cka": "CKA distances"}
BLIND = "controls fail (the measure misses a difference that is there)"
FOOLED = "controls fail (a verdict even with {} in place of the measure)"


def evidence(*controls: ControlResult, shuffled: Any = ()) -> Evidence:
    return Evidence(
        statistic=0.6, effect=0.6, low=0.4, high=0.8, p=0.001, floor=0.0001, holds=True,
        uninformative="", groups=("a",), networks=np.array([9]), values=np.array([0.6]),
        controls=collect_controls(controls, shuffled),
    )  # fmt: skip


def result(claim: Any, word: str = "supported", task: Any = MEMORY, **fields: Any) -> ClaimResult:
    texts, _ = texts_of(claim)
    return ClaimResult(claim=claim, task=task, evidence=fields.get("evidence"), word=word,
                       texts=texts)  # fmt: skip


def depends(of: str, **fields: Any) -> Any:
    return CLAIMS["geometry_depends_on"](of=of, factor="cell", **fields)


def test_a_question_has_one_finding_and_the_first_claim_speaks_for_it() -> None:
    tuned, standard = (
        depends("svcca", name=f"svcca_{name}", where={"protocol": name})
        for name in ("tuned", "standard")
    )
    cube, weak = CLAIMS["cube"](), CLAIMS["cube"](strict=False, name="weak")
    results = [result(tuned, "not supported"), result(standard), result(depends("cka")),
               result(cube), result(weak)]  # fmt: skip
    geometry, points = findings(results, Stories(TITLES, [], []))
    assert geometry.question == "Does the geometry of representations depend on the cell?"
    assert [row.name for row in geometry.rows] == ["svcca_tuned", "svcca_standard"]
    assert [row.verdict for row in geometry.rows] == ["not supported", "supported"]
    assert geometry.rows[0].scope == "3-bit flip-flop memory, protocol=tuned"
    assert [row.name for row in geometry.companions] == ["cka_depends_on_cell"]
    assert [row.name for row in points.rows] == ["cube"]
    assert [row.name for row in points.companions] == ["weak"]
    assert points.rows[0].scope == ""
    # Other verdicts change no order.
    other = [result(each.claim, "failed") for each in results]
    assert [each.question for each in findings(other, Stories(TITLES, [], []))] == [
        geometry.question, points.question,
    ]  # fmt: skip


def test_tasks_are_rows_of_one_finding() -> None:
    both = [result(depends("svcca"), task=task) for task in (MEMORY, SINE)]
    (finding,) = findings(both, Stories(TITLES, [], []))
    assert [row.scope for row in finding.rows] == [
        "3-bit flip-flop memory", "Sine waves of 51 frequencies",
    ]  # fmt: skip


def test_results_of_one_statement_fill_a_table_of_tasks_and_groups() -> None:
    claims = [depends("svcca", name=n, where={"protocol": n}) for n in ("tuned", "standard")]
    (finding,) = findings(
        [result(claim, task=task) for claim in claims for task in (MEMORY, SINE)],
        Stories(TITLES, [], []),
    )
    assert finding.statement == "Geometry (SVCCA distances) depends on the cell of networks."
    assert finding.groups == ("protocol=tuned", "protocol=standard")
    table = finding.by_task()
    assert list(table) == ["3-bit flip-flop memory", "Sine waves of 51 frequencies"]
    rows = [row for by_group in table.values() for row in by_group.values()]
    assert sorted(map(id, rows)) == sorted(map(id, finding.rows))
    (alone,) = findings([result(claims[0])], Stories(TITLES, [], []))
    assert alone.statement == ""


def test_variants_of_a_task_are_told_apart_by_their_names() -> None:
    tasks = [TASKS["flip_flop"](length=length, name=f"memory_{length}") for length in (50, 90)]
    both = [result(depends("svcca"), task=task) for task in tasks]
    (finding,) = findings(both, Stories(TITLES, [], []))
    assert [row.scope for row in finding.rows] == [
        "3-bit flip-flop memory (memory_50)", "3-bit flip-flop memory (memory_90)",
    ]  # fmt: skip


def test_a_row_says_verdict_effect_interval_and_controls() -> None:
    seen = ControlResult("trained against untrained", "positive", 1.0, p=1e-5, holds=True)
    noise = ControlResult("noise", "negative", 0.0, p=0.5)
    fooled = ControlResult("ones", "negative", 1.0, p=1e-4, holds=True, informative=True)
    missed = ControlResult("planted", "planted", 0.0, holds=False)
    row = finding_row(result(depends("svcca"), evidence=evidence(seen, noise)), TITLES, False)
    assert row.statement == "Geometry (SVCCA distances) depends on the cell of networks."
    assert row.effect == "effect 0.6 (95 % interval 0.4 to 0.8)"
    assert row.numbers == "0.6 [0.4, 0.8]"
    assert (row.controls, row.control_tone) == ("controls pass", "good")
    cases = {
        (): ("", ""), (seen,): ("controls pass", ""), (noise,): (BLIND, "blind"),
        (seen, fooled): (FOOLED.format("ones"), "ones"), (seen, missed): (BLIND, "blind"),
    }  # fmt: skip
    for controls, words in cases.items():
        row = finding_row(result(depends("svcca"), evidence=evidence(*controls)), TITLES, False)
        assert (row.controls, row.failed_control) == words
    shuffled = result(depends("svcca"), evidence=evidence(seen, shuffled=[0.001] * 20))
    row = finding_row(shuffled, TITLES, False)
    assert row.controls == "controls fail (too many shuffles of the labels pass)"
    assert (row.failed_control, row.control_tone) == ("shuffled", "bad")


def test_noise_fails_the_controls_by_the_opposite_verdict_too() -> None:
    seen = ControlResult("trained against untrained", "positive", 1.0, p=1e-5, holds=True)
    claim = CLAIMS["alike_across"](
        of="solution_classes", factor="cell", margin=0.1, justification="a test"
    )
    for informative, words in ((True, FOOLED.format("noise")), (False, "controls pass")):
        noise = ControlResult(
            "noise", "negative", 1.0, p=1.0, p_opposite=1e-4, informative=informative
        )
        some = result(claim, evidence=evidence(seen, noise))
        assert finding_row(some, TITLES, False).controls == words


def test_the_figure_is_a_map_of_what_the_claim_reads() -> None:
    pairs, embedding = ANALYSES["pairs"](metric="svcca"), ANALYSES["embedding"](of="svcca")
    matrix = Matrix(title="Matrix", values=np.zeros((1, 1)), labels=["a"])
    parts = [
        PagePart("t", (Table(title="x", columns={}), matrix), name="svcca"),
        PagePart("m", (matrix,), name="embedding_svcca"),
    ]
    section = PageSection("Words", chapters=(PageChapter("Geometry", parts),), name="flip_flop")
    claim = depends("svcca")
    assert figure_of(claim, section, [pairs, embedding]) == (
        "flip_flop", "embedding_svcca", "Matrix",
    )  # fmt: skip
    assert figure_of(claim, section, [pairs]) == ("flip_flop", "svcca", "Matrix")
    assert figure_of(depends("cka"), section, [pairs]) is None
    assert figure_of(claim, None, [pairs]) is None


def test_a_statement_that_raises_is_in_its_place() -> None:
    def fail(task: Any) -> str:
        raise SystemExit(5)

    claim = depends("svcca")
    fields = {"kind": claim.kind, "title": "t", "where": {}, "words": claim.words}
    broken: Any = SimpleNamespace(statement=fail, title_in_words="Geometry", **fields)
    row = finding_row(ClaimResult(broken, MEMORY, None, "failed"), TITLES, False)
    assert row.statement.startswith("Geometry (its statement raises SystemExit: 5")
    assert row.tone == "bad"
