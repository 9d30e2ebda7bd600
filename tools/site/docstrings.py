"""Docstrings of the package as reStructuredText."""

import re
from typing import Any

CODE = re.compile(r"(`[^`]*`)")

MARKUP = re.compile(r"(\||(?<=\w)_(?!\w)|(?<=[\s\[(,])\*(?=\w))")
"""Bars, underscores after words, and asterisks before words but at the beginning of a line."""


def escape_lines(lines: list[str]) -> list[str]:
    """Return the lines of a docstring, in which markup but for code means nothing.

    Examples are left alone. A paragraph that ends in a colon before indented code marks it as code.
    """
    result, in_example = [], False
    for i, line in enumerate(lines):
        in_example = bool(line.strip()) and (in_example or line.lstrip().startswith(">>>"))
        is_code = line.startswith("    ") and _after_colon(result)
        if in_example or is_code:
            result.append(line)
        elif re.search(r"[^:]:$", line.rstrip()) and _before_code(lines, i):
            result.append(_escape(line.rstrip()) + ":")
        else:
            result.append(_escape(line))
    return result


def _escape(line: str) -> str:
    parts = CODE.split(line)
    parts[::2] = [MARKUP.sub(r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def _before_code(lines: list[str], i: int) -> bool:
    """Return whether an empty line and then a more deeply indented one follow."""
    following = lines[i + 1 : i + 3]
    if len(following) < 2 or following[0].strip():
        return False
    return _indent(following[1]) > _indent(lines[i]) and bool(following[1].strip())


def _after_colon(result: list[str]) -> bool:
    """Return whether the last line that is not indented announces code."""
    outer = [line for line in result if line.strip() and not line.startswith("    ")]
    return bool(outer) and outer[-1].endswith("::")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def process_docstring(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Change the lines of a docstring, for Sphinx's autodoc."""
    lines[:] = escape_lines(lines)


def process_signature(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """Return no signature for records and settings: their fields are listed below."""
    has_fields = hasattr(obj, "__dataclass_fields__") or hasattr(obj, "model_fields")
    return ("", "") if what == "class" and has_fields else None


def setup(app: Any) -> dict[str, Any]:
    """Connect to autodoc, before numpydoc."""
    app.connect("autodoc-process-docstring", process_docstring, priority=400)
    app.connect("autodoc-process-signature", process_signature)
    return {"parallel_read_safe": True}
