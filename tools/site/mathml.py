"""Formulas of the site as MathML, which browsers draw by themselves."""

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def _append(translator: Any, node: Any, display: str) -> None:
    translator.body.append(convert(node.astext(), display=display))
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer(
        "mathml",
        (lambda translator, node: _append(translator, node, "inline"), None),
        (lambda translator, node: _append(translator, node, "block"), None),
    )
    return {"parallel_read_safe": True}
