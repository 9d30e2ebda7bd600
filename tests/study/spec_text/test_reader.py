"""Reading YAML: values by the 1.2 core schema, the place of each, and what is refused."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnstudy.study.spec_text.document import SpecError, dotted_path
from rnnstudy.study.spec_text.reader import parse_document, plain, read_document
from rnnstudy.study.spec_text.writer import write_document


def value(text):
    document = parse_document(text, "a.yaml")
    assert document.problems == []
    return document.data


def messages(text):
    """All that is wrong with a text, whether or not the rest of it could be read."""
    try:
        return [str(problem) for problem in parse_document(text, "a.yaml").problems]
    except SpecError as error:
        return str(error).split("\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-3", 1e-3),
        ("1E+3", 1e3),
        (".5", 0.5),
        ("5.", 5.0),
        ("-1.5e2", -150.0),
        ("12", 12),
        ("+12", 12),
        ("012", 12),
        ("0o17", 15),
        ("0x1f", 31),
        ("-0", 0),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_plain_values_that_are_not_text(text, expected):
    found = plain(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "text",
    ["on", "off", "yes", "no", "y", "n", "tRue", "nULL", "1_000", "12:30:45", "2024-01-01",
     "0b11", "-0x1f", "1e", "e3", ".", "+", "-", "0o8", "nan", "inf", "=", "1.2.3", "\uff11\uff12"],
)  # fmt: skip
def test_plain_values_that_are_text(text):
    assert plain(text) == text


def test_quoted_values_are_text():
    assert value("['1', \"1e-3\", 'true', 'null', '']") == ["1", "1e-3", "true", "null", ""]


def test_block_text_is_text():
    assert value("a: |\n  12\nb: >-\n  12\n") == {"a": "12\n", "b": "12"}


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_integers_survive(number):
    assert value(str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive(number):
    found = value(repr(number))
    assert found == number
    assert math.copysign(1, found) == math.copysign(1, number)


def test_places_are_lines_and_columns_from_one():
    document = parse_document("a: 1\nb:\n  - x\n  - {c: 2}\n", "f.yaml")
    assert {dotted_path(keys): place.text for keys, place in document.values.items()} == {
        "": "f.yaml:1:1",
        "a": "f.yaml:1:4",
        "b": "f.yaml:3:3",
        "b[0]": "f.yaml:3:5",
        "b[1]": "f.yaml:4:5",
        "b[1].c": "f.yaml:4:9",
    }
    assert {dotted_path(keys): place.text for keys, place in document.names.items()} == {
        "a": "f.yaml:1:1",
        "b": "f.yaml:2:1",
        "b[1].c": "f.yaml:4:6",
    }


def test_an_alias_is_a_copy_that_stands_where_it_is_written():
    document = parse_document("a: &x {b: 1}\nc: *x\n", "f.yaml")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.data["a"] is not document.data["c"]
    assert document.location(("c",)).text == "f.yaml:2:4"
    assert document.location(("c", "b")).text == "f.yaml:1:11"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", ["a.yaml:2:1: a is given twice, first at line 1"]),
        ("b:\n  - a: 1\n    a: 2\n", ["a.yaml:3:5: b[0].a is given twice, first at line 2"]),
        ("a: .nan\n", ["a.yaml:1:4: a is .nan; numbers here are finite"]),
        ("a: [1, -.Inf]\n", ["a.yaml:1:8: a[1] is -.Inf; numbers here are finite"]),
        ("a: 1e999\n", ["a.yaml:1:4: a is '1e999'; numbers here fit in 64 bits"]),
        (
            "a: 9223372036854775808\n",
            ["a.yaml:1:4: a is '9223372036854775808'; numbers here fit in 64 bits"],
        ),
        (
            "a: " + "9" * 5000,
            ["a.yaml:1:4: a is '" + "9" * 57 + "...'; numbers here fit in 64 bits"],
        ),
        (
            "1: x\n~: x\n? [a]\n: x\n",
            [
                "a.yaml:1:1: a key is 1, an integer; keys are names of fields",
                "a.yaml:2:1: a key is empty (null); keys are names of fields",
                "a.yaml:3:3: a key is a list; keys are names of fields",
            ],
        ),
        (
            "a: {true: 1}\n",
            ["a.yaml:1:5: a key in a is true, a truth value; keys are names of fields"],
        ),
        ("a: {<<: {b: 1}}\n", ["a.yaml:1:5: merge key '<<' in a is not read; write the keys out"]),
        ("a: !!int 3\n", ["a.yaml:1:4: a has the tag !!int; write the value without it"]),
        (
            "a: !!python/name:os.system\n",
            ["a.yaml:1:4: a has the tag !!python/name:os.system; write the value without it"],
        ),
        ("a: &x [*x]\n", ["a.yaml:1:8: a[0] is an alias of what it is part of"]),
        ("a: *x\n", ["a.yaml:1:4: alias *x has no anchor before it; anchors: none"]),
        (
            "a: &y 1\nb: *x\n",
            ["a.yaml:2:4: alias *x has no anchor before it; anchors: y"],
        ),
        (
            "a: 1\n---\nb: 1\n",
            ["a.yaml:2:1: a second document begins here; a spec is one document"],
        ),
        ("", ["a.yaml: is empty; a spec begins with 'study: NAME'"]),
        ("# only a comment\n", ["a.yaml: is empty; a spec begins with 'study: NAME'"]),
        ("a:\n\t- b\n", ["a.yaml:2:1: is not YAML: a tab begins a value here; indent with spaces"]),
        ("a: b: c\n", ["a.yaml:1:5: is not YAML: mapping values are not allowed here"]),
        (
            "a: [1, 2\nb: 3\n",
            [
                (
                    "a.yaml:2:2: is not YAML: while parsing a flow sequence that begins at "
                    "line 1, column 4: expected ',' or ']', but got ':'"
                )
            ],
        ),
        ("a: 1\nb: \x07\n", ["a.yaml:2:4: is not YAML: the character U+0007 may not stand in it"]),
        ("a: " + "[" * 60, ["a.yaml:1:54: is nested deeper than 50 levels"]),
        # The rest is read after a mistake that leaves its structure clear.
        (
            "a: .inf\nb: !x 1\nb: 2\nc: [\n",
            [
                "a.yaml:1:4: a is .inf; numbers here are finite",
                "a.yaml:2:4: b has the tag !x; write the value without it",
                "a.yaml:3:1: b is given twice, first at line 2",
                (
                    "a.yaml:5:1: is not YAML: while parsing a flow node: "
                    "expected the node content, but found '<stream end>'"
                ),
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_refused(text, expected):
    assert messages(text) == expected


def test_aliases_that_multiply_are_refused_at_once():
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]" for i in range(30)]
    assert messages("\n".join(lines)) == [
        "a.yaml:1:1: has more than 100000 values once its aliases are written out"
    ]


def test_aliases_that_nest_deeply_are_refused():
    lines = ["a0: &a0 x"]
    lines += [f"a{i + 1}: &a{i + 1} [[[*a{i}]]]" for i in range(100)]
    assert [line.partition(": ")[2] for line in messages("\n".join(lines))] == [
        "is nested deeper than 50 levels"
    ]


# Files


def file_message(path):
    with pytest.raises(SpecError) as caught:  # noqa: PT011 - the whole text is compared
        read_document(path)
    return str(caught.value).replace(str(path), "FILE")


def test_a_missing_file(tmp_path):
    assert file_message(tmp_path / "none.yaml") == "FILE: there is no such file"


def test_a_directory(tmp_path):
    assert file_message(tmp_path) == "FILE: is a directory; name the YAML file in it"


def test_a_path_through_a_file(tmp_path):
    (tmp_path / "a").write_text("")
    assert file_message(tmp_path / "a" / "b.yaml") == "FILE: there is no such file"


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    assert file_message(tmp_path / "a") == "FILE: may not be read: permission denied"


def test_a_name_that_no_file_has():
    assert file_message("a\0b") == r"a\x00b: embedded null byte"


@pytest.mark.parametrize(
    ("raw", "byte", "offset"),
    [
        (b"a: \xff\n", "0xff", 3),
        (b"\xef\xbb\xbfa: \xe9t\xe9\n", "0xe9", 6),
        (b"\xff\xfea\0", "0xff", 0),
    ],
)
def test_a_file_that_is_not_utf8(tmp_path, raw, byte, offset):
    path = tmp_path / "a.yaml"
    path.write_bytes(raw)
    expected = f"FILE: is not UTF-8 text: byte {byte} at offset {offset}; save it as UTF-8"
    assert file_message(path) == expected


def test_a_file_that_is_too_large(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (1 << 20) + b"\n")
    assert file_message(path) == "FILE: must have at most 1,048,576 bytes, got more"


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: \xc3\xa9\r\n")
    document = read_document(path)
    assert document.data == {"a": 1, "b": "é"}
    assert document.location(("b",)).text == f"{path}:2:4"


# Writing

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \n"))
    | st.sampled_from(["on", "1e-3", "012", "0o17", "~", "", "null", ".inf", "a: b", "- a", "<<"])
)
data = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab-<"), inner, max_size=4),
    max_leaves=20,
)


# How fast a busy machine draws examples says nothing about the reader.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(["b", "a", "c"]), data))
def test_what_is_written_reads_back_the_same_in_the_same_order(written):
    found = value(write_document(written))
    assert repr(found) == repr(written)


@given(st.text(st.sampled_from("ab:-[]{}#&*!|>'\"%@`,?~ \n\t0.e<=") | st.characters()))
def test_any_text_is_read_or_refused(text):
    messages(text)
