"""What is asked of single networks, and the addresses of the answers."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from rnnstudy.analyses import MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.study.spec.study import Study
from rnnstudy.tasks import Task


@dataclass(frozen=True)
class Question:
    """An analysis of single networks, and those whose records it reads."""

    analysis: MemberAnalysis
    needs: tuple["Question", ...] = ()

    @property
    def title(self) -> str:
        """The name under which the analysis is known in its study."""
        return self.analysis.title

    @property
    def from_seeds(self) -> bool:
        """Whether it, or one that it reads, looks at what grows from a network's seed."""
        return self.analysis.from_seeds or any(need.from_seeds for need in self.needs)

    @cached_property
    def address(self) -> str:
        """What all its addresses have in common; names do not enter it."""
        return self.key("")

    def key(self, network: str) -> str:
        """Address of the record for the network at an address."""
        if network not in self._keys:
            needed = (need.key(network) for need in self.needs)
            self._keys[network] = self.analysis.key(network, *needed)
        return self._keys[network]

    @cached_property
    def _keys(self) -> dict[str, str]:
        """Addresses that were asked for: every job of a plan asks for those of the same records."""
        return {}


def questions(study: Study) -> tuple[Question, ...]:
    """Those that the spec lists, those that its task analyses read, and the probe's activity; each
    once, or once for each choice of tasks."""
    listed = _listed(study)
    together = [a for a in study.analyses if isinstance(a, TaskAnalysis)]
    parts = [part for analysis in together for part in analysis.parts()]
    found: dict[tuple[str, tuple[str, ...] | None], Question] = {}
    for analysis in (*listed.values(), Representations(), *parts):
        question = _asked(analysis, listed)
        found.setdefault((question.address, analysis.tasks), question)
    return tuple(found.values())


def visits(study: Study, task: Task) -> tuple[Question, ...]:
    """What is asked of the networks of other tasks for the sake of this one; each once."""
    together = [a for a in study.analyses if isinstance(a, TaskAnalysis)]
    asked = [visit for analysis in together if (visit := visit_of(analysis, task))]
    return tuple({question.address: question for question in asked}.values())


def visit_of(analysis: TaskAnalysis, task: Task) -> Question | None:
    """What an analysis of a task asks of the networks of others."""
    asked = analysis.visit(task)
    return None if asked is None else _question(asked, ())


def read_by(analysis: TaskAnalysis, study: Study) -> tuple[Question, ...]:
    """What a task analysis reads of single networks: its parts, then what it needs."""
    listed = _listed(study)
    needed = [listed[name] for name in analysis.needs() if name in listed]
    return tuple(_asked(one, listed) for one in (*analysis.parts(), *needed))


def _listed(study: Study) -> dict[str, MemberAnalysis]:
    return {a.title: a for a in study.analyses if isinstance(a, MemberAnalysis)}


def _asked(analysis: MemberAnalysis, listed: dict[str, MemberAnalysis]) -> Question:
    return _question(analysis, tuple(_asked(listed[name], listed) for name in analysis.needs()))


@lru_cache(256)
def _question(analysis: MemberAnalysis, needs: tuple[Question, ...]) -> Question:
    """The question, one and the same for all that ask it."""
    return Question(analysis, needs)
