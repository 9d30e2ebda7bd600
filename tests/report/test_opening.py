"""The first sentence of a page is true of the networks that there are."""

from collections.abc import Mapping
from typing import Any

from rnnstudy.report.opening import networks_sentence
from rnnstudy.study.spec.study import study_of

SPEC = {"study": "a", "tasks": ["flip_flop", "sine"]}


def sentence(networks: Mapping[str, Any], **sections: Any) -> str:
    study = study_of({**SPEC, "networks": networks, **sections})
    members = [member for member, _ in study.expand()]
    return networks_sentence(members, study.tasks)


def test_networks_that_differ_in_cells_and_seeds() -> None:
    text = sentence({"cells": ["gru", "lstm"], "seeds": 3})
    assert text.startswith("12 networks on 3-bit flip-flop memory and ")
    assert text.endswith(" (6 on each), differing in cell (gru, lstm) and their seeds.")


def test_networks_of_one_seed_do_not_differ_in_seeds() -> None:
    text = sentence({"cells": ["gru", "lstm"], "seeds": 1}, tasks=["flip_flop"])
    assert text == "2 networks on 3-bit flip-flop memory, differing in cell (gru, lstm)."


def test_networks_that_differ_in_seeds_alone_say_so() -> None:
    text = sentence({"cells": "gru", "seeds": 3}, tasks=["flip_flop"])
    assert text == "3 networks on 3-bit flip-flop memory, differing in their seeds."


def test_a_task_with_fewer_networks_has_its_own_number() -> None:
    exclude = [{"task": "sine", "cell": "gru"}]
    text = sentence({"cells": ["gru", "lstm"], "seeds": 3, "exclude": exclude})
    assert text.startswith("9 networks on 3-bit flip-flop memory (6) and ")
    assert " (3), differing in cell (gru, lstm) and their seeds." in text
    assert "on each" not in text


def test_all_axes_of_the_grid_are_listed() -> None:
    cells = [{"kind": "gru", "gate_bias": 1.0}, {"kind": "gru", "gate_bias": 2.0}]
    text = sentence({"cells": cells, "learning_rate": [0.01, 0.001]}, tasks=["flip_flop"])
    assert text.endswith(", differing in gate bias (1, 2) and learning rate (0.01, 0.001).")


def test_networks_from_files_are_counted() -> None:
    study = study_of({**SPEC, "tasks": ["flip_flop"], "networks": {"cells": "gru", "seeds": 2}})
    (first, second) = (member for member, _ in study.expand())
    imported = type(first)("ring", {**second.fields, "seed": None})
    text = networks_sentence([first, imported], study.tasks)
    assert text == "2 networks on 3-bit flip-flop memory, 1 of them read from files."
    text = networks_sentence([imported], study.tasks)
    assert text == "1 network on 3-bit flip-flop memory, read from files."
