"""Modules that the text of a module imports, found without running it."""

import ast
from collections.abc import Iterator
from pathlib import Path


def imported_names(module: str, file: Path) -> Iterator[str]:
    """Yield the names of all modules that a file may import, and of the packages around them."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    names = [package] if package else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base_of(node, package)
            names += [base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)]
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[:n]) for n in range(1, len(parts) + 1) if parts[0])


def _base_of(node: ast.ImportFrom, package: str) -> str:
    """Return the absolute name of the module that `from ... import` names."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    above = parts[: len(parts) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def file_of(name: str, root: Path) -> Path | None:
    """Return the file of a module in a folder; None if the folder has none."""
    path = root.joinpath(*name.split("."))
    candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)
