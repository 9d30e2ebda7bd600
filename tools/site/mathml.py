"""Formulas of the site as MathML, which browsers draw by themselves, with a font that they load."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.logging import getLogger

FONT = "stix-two-math.woff"
"""File of the font STIX Two Math (SIL Open Font License). Browsers need a font with a MATH table
for brackets, bars and roots of the height of what they hold, and few systems have one."""

NORM = re.compile(r"(?<!\\left)(?<!\\right)\\([lr])([vV])ert(?![A-Za-z])")
"""Bar of a norm or a modulus that is not marked as the left or the right one."""

LIMITS = re.compile(r"\\(max|min)_")
"""Operators below which their limits stand, in a formula on its own line."""

SIDES = {"l": r"\left", "r": r"\right"}

BOLD = {'<mn mathvariant="bold">1</mn>': "<mn>\N{MATHEMATICAL BOLD DIGIT ONE}</mn>"}
"""What browsers do not draw in bold -> what they do."""


UNREAD = re.compile(r">\s*(?:&|\\[^<]*)\s*<")
"""Text of LaTeX that the conversion has left."""


def as_mathml(formula: str, display: str) -> str:
    """Return a formula of LaTeX as MathML.

    Parameters
    ----------
    formula
        Formula without dollar signs.
    display
        `inline`, or `block` for a formula on its own line.
    """
    marked = NORM.sub(lambda m: rf"{SIDES[m[1]]}\{m[1]}{m[2]}ert", formula)
    if display == "block":
        marked = LIMITS.sub(r"\\\1\\limits_", marked)
    mathml: str = convert(marked.replace("{aligned}", "{align*}"), display=display)
    for text, drawn in BOLD.items():
        mathml = mathml.replace(text, drawn)
    return mathml


def _append(translator: Any, node: Any, display: str) -> None:
    mathml = as_mathml(node.astext(), display)
    if left := UNREAD.search(mathml):
        getLogger(__name__).warning("a formula has LaTeX left: %s", left[0][1:-1], location=node)
    # The box scrolls. A formula that scrolls itself is cut at the top by some browsers.
    translator.body.append(f'<div class="formula">{mathml}</div>' if display == "block" else mathml)
    raise nodes.SkipNode


def write_font(app: Any, failure: Exception | None) -> None:
    """Write the font of formulas into the built site."""
    from fontTools.ttLib import TTFont

    package = find_spec("ziamath")
    if failure or app.builder.format != "html" or package is None or package.origin is None:
        return
    with TTFont(Path(package.origin).parent / "fonts" / "STIXTwoMath-Regular.ttf") as font:
        font.flavor = "woff"
        font.save(Path(app.outdir) / "_static" / FONT)


def setup(app: Any) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer(
        "mathml",
        (lambda translator, node: _append(translator, node, "inline"), None),
        (lambda translator, node: _append(translator, node, "block"), None),
    )
    app.connect("build-finished", write_font)
    return {"parallel_read_safe": True}
