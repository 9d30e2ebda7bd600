"""Settings of Sphinx. `tools/docs` assembles the sources and builds the site."""

import ast
import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools" / "site")]

project = "rnnstudy"
author = "The rnnstudy authors"
copyright = author  # noqa: A001 - its name in Sphinx

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "mathml", "docstrings"]
root_doc = "index"
exclude_patterns = ["examples/*"]
default_role = "code"
smartquotes = False
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_dmath_allow_space = False
html_math_renderer = "mathml"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 80
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "rnnstudy"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": False,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
# Pages without pages below have no menu at the left.
LONE_PAGES = ("start", "glossary", "benchmarks", "report", "results/index")
html_sidebars = {page: [] for page in LONE_PAGES}
html_extra_path = [path for path in [os.environ.get("RNNSTUDY_SITE_EXTRA")] if path]


def _runnable(path: Path) -> bool:
    """Return whether all that an example imports is installed."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return all(importlib.util.find_spec(name) for name in names)


EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
IS_RUN = os.environ.get("RNNSTUDY_SITE_EXAMPLES") != "no"

if EXAMPLES:
    extensions.append("sphinx_gallery.gen_gallery")
    if IS_RUN and importlib.util.find_spec("triton"):
        # Examples share a process. After TensorFlow, the import of Triton, by PyTorch, ends it.
        importlib.import_module("triton")
    runnable = "|".join(path.stem for path in EXAMPLES if IS_RUN and _runnable(path)) or "nothing"
    sphinx_gallery_conf = {
        "examples_dirs": ["examples"],
        "gallery_dirs": ["gallery"],
        "filename_pattern": rf"/({runnable})\.py$",
        "plot_gallery": IS_RUN,
        "image_scrapers": ("matplotlib", "pictures"),
        "download_all_examples": False,
        "show_memory": False,
        "show_signature": False,
        "write_computation_times": False,
        "within_subsection_order": "FileNameSortKey",
        "min_reported_time": 1e9,
    }
