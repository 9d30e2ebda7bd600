"""Pages of the reference: public names, by their docstrings."""

import ast
from collections.abc import Iterator
from pathlib import Path

from places import ROOT

STUB = ROOT / "rnnstudy" / "__init__.pyi"

GROUPS = {
    "studies": ("Studies", ("study", "runner", "report")),
    "dynamics": ("Dynamics", ("dynamics",)),
    "networks": ("Networks", ("keras_bridge", "population")),
    "comparison": ("Comparison", ("comparison", "metrics", "recordings")),
    "extending": ("Classes to extend, and exhibits", ()),
}
"""Page -> its title, and the packages whose names it has. The last one has all others."""


def public_names() -> dict[str, str]:
    """Return each public name with the module that defines it, relative to the package."""
    names = {}
    for node in ast.parse(STUB.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.name] = node.module or alias.name
    return names


def group_of(module: str) -> str:
    """Return the page of a public name, from the module that defines it."""
    package = module.partition(".")[0]
    return next(
        (page for page, (_, packages) in GROUPS.items() if package in packages), [*GROUPS][-1]
    )


def python_pages() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each page of public names."""
    names = public_names()
    index = ["# Python", "", "All names are those of `import rnnstudy`.", ""]
    for page, (title, _) in GROUPS.items():
        members = {name: module for name, module in names.items() if group_of(module) == page}
        order = sorted(members, key=lambda name: (name[0].isupper(), name.lower()))
        listed = ", ".join(f"`{name}`" for name in order)
        index += [f"- [{title}]({page}.md): {listed}"]
        entries = [_entry(name, members[name]) for name in order]
        yield f"reference/python/{page}.md", "\n\n".join([f"# {title}", *entries]) + "\n"
    yield "reference/python/index.md", "\n".join(index) + "\n"


def _entry(name: str, module: str) -> str:
    """Return the part of a page on one public name, for Sphinx's autodoc."""
    kind = _kind(name, module)
    options = ["members:"] if kind in ("automodule", "autoclass") else []
    if kind == "automodule":
        # A public name has one place, also if a public module has it, too.
        options.append(f"exclude-members: {', '.join(public_names())}")
    lines = [f".. {kind}:: rnnstudy.{name}", *(f"   :{option}" for option in options)]
    block = "\n".join(lines)
    return f"## {name}\n\n```{{eval-rst}}\n{block}\n```"


def _kind(name: str, module: str) -> str:
    """Return the directive of a name: of a function, a class, a value or a module."""
    path = ROOT / "rnnstudy" / Path(*module.split("."))
    file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    if module == name:
        return "automodule"
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return "autodata"
    return "autoclass" if name[0].isupper() else "autofunction"
