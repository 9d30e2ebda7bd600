"""The same name looks the same everywhere; different names look different."""

from rnnstudy.report.style import (
    ACTIVATION_MARKS,
    CELL_MARKS,
    LEGEND_LIMIT,
    SPARE_MARKS,
    UNSTABLE_MARKS,
    assign_marks,
    format_number,
    shorten,
    sort_names,
    varying_parts,
    wrap_text,
)


def test_cells_and_activations_keep_their_look_in_any_company() -> None:
    alone = assign_marks(["gru"])["gru"]
    assert alone == assign_marks(["lstm", "mine", "gru"])["gru"] == CELL_MARKS["gru"]
    combined = assign_marks(["gru tanh", "gru relu"])
    assert {mark.colour for mark in combined.values()} == {alone.colour}
    assert combined["gru tanh"] != combined["gru relu"]


def test_a_cell_is_a_hue_an_activation_a_marker_and_a_protocol_a_line() -> None:
    names = [f"{cell} {activation} {protocol}" for cell in CELL_MARKS
             for activation in ACTIVATION_MARKS for protocol in ("tuned", "standard")]  # fmt: skip
    looks = assign_marks(names)
    for position, part in enumerate(("colour", "marker", "line")):
        by_word = {name.split()[position]: getattr(looks[name], part) for name in names}
        assert all(getattr(looks[n], part) == by_word[n.split()[position]] for n in names)
        assert len(set(by_word.values())) == len(by_word)
    assert assign_marks(["gru tanh"])["gru tanh"].marker == looks["gru tanh tuned"].marker


def test_unstable_directions_have_a_scale_from_dark_to_light() -> None:
    colours = [look.colour for look in UNSTABLE_MARKS]
    light = [sum(w * int(c[i : i + 2], 16) for w, i in ((0.21, 1), (0.72, 3), (0.07, 5)))
             for c in colours]  # fmt: skip
    assert light == sorted(light)
    assert not set(colours) & {look.colour for look in CELL_MARKS.values()}


def test_marks_differ_by_more_than_colour() -> None:
    looks = assign_marks([*CELL_MARKS, "0", "1"], unstable=True).values()
    assert len({look.marker for look in CELL_MARKS.values()}) == len(CELL_MARKS)
    assert len({(look.colour, look.marker) for look in looks}) == len(looks)


def test_names_of_the_user_take_colours_that_are_left() -> None:
    looks = assign_marks(["vanilla", "gru", "mine", "theirs"])
    assert len({look.colour for look in looks.values()}) == 4


def test_more_names_than_marks_still_have_marks() -> None:
    names = [f"name {i}" for i in range(3 * len(SPARE_MARKS))]
    assert list(assign_marks(names)) == names
    assert len(SPARE_MARKS) >= LEGEND_LIMIT


def test_numbers_of_unstable_directions() -> None:
    looks = assign_marks(["2", "0", "1", "slow"], unstable=True)
    assert list(looks) == ["0", "1", "2", "slow"]
    assert looks["0"] == assign_marks(["stable"], unstable=True)["stable"]
    assert assign_marks(["7"], unstable=True)["7"] == assign_marks(["9"], unstable=True)["9"]
    # As a grouping, 16 and 64 units are not numbers of unstable directions and must differ.
    assert len(set(assign_marks(["16", "64"]).values())) == 2


def test_order_is_that_of_the_field_then_of_numbers() -> None:
    assert sort_names(["lstm", "mine", "vanilla", "lstm"]) == ["vanilla", "lstm", "mine"]
    assert sort_names(["gru relu", "vanilla relu", "gru tanh"]) == [
        "vanilla relu",
        "gru tanh",
        "gru relu",
    ]
    assert sort_names(["10", "9", "0.5"]) == ["0.5", "9", "10"]


def test_short_names_drop_what_is_common() -> None:
    assert varying_parts(["ff-gru-32-s000", "ff-lstm-32-s001"]) == ["gru-s000", "lstm-s001"]
    assert varying_parts(["ff-gru-32-s000"]) == ["ff-gru-32-s000"]
    assert varying_parts(["a-b", "c"]) == ["a-b", "c"]


def test_brief_keeps_both_ends() -> None:
    assert shorten("short") == "short"
    assert shorten("abcdefghij", limit=7) == "abc…hij"


def test_number_has_four_digits() -> None:
    assert [
        format_number(v) for v in (0.000123456, 1234567.0, 0.0, float("nan"), float("-inf"))
    ] == [
        "0.0001235",
        "1.235e+06",
        "0",
        "nan",
        "-inf",
    ]


def test_long_text_is_wrapped_and_loses_its_middle_only_if_it_does_not_fit():
    assert wrap_text("short", 20) == "short"
    assert wrap_text("two words more than one line", 16) == "two words more\nthan one line"
    lines = wrap_text("a name of many words that is too long for two lines of this width", 16)
    assert all(len(line) <= 16 for line in lines.split("\n"))
    assert lines.startswith("a name of")
    assert lines.endswith("width")
    assert "…" in lines
