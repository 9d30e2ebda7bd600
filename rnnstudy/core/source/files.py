"""Source code of a module and of the modules beside it that it imports."""

import hashlib
import importlib.metadata
import json
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path

from rnnstudy.core.source.imports import file_of, imported_names

PACKAGE = __name__.partition(".")[0]

VERSIONS_FILE = "sources.json"
"""File beside copied modules, with the versions of the packages that they are from."""


@dataclass(frozen=True)
class SourceCode:
    """Text of all modules that define a class."""

    modules: Mapping[str, bytes]
    """Name of each module -> its text."""
    files: Mapping[str, str]
    """Name of each module -> its file, relative to the folder that is imported from."""
    packages: Mapping[str, str]
    """Name of each installed package -> its version."""

    @property
    def sha256(self) -> str:
        """Hash of the texts, the names of the modules, and the versions."""
        texts = {name: hashlib.sha256(text).hexdigest() for name, text in self.modules.items()}
        data = json.dumps([texts, dict(self.packages)], sort_keys=True)
        return hashlib.sha256(data.encode()).hexdigest()

    def __add__(self, other: "SourceCode") -> "SourceCode":
        return SourceCode(
            {**self.modules, **other.modules},
            {**self.files, **other.files},
            {**self.packages, **other.packages},
        )


NO_SOURCE = SourceCode({}, {}, {})


def source_of_module(name: str) -> SourceCode:
    """Return the source of a module that is not imported; nothing if it has no text."""
    origin = origin_of_module(name)
    if origin is None or not origin.endswith(".py"):
        return NO_SOURCE
    return source_of_file(name, Path(origin))


def origin_of_module(name: str) -> str | None:
    """Return the file of a module, None if there is none. Nothing is imported to find it."""
    spec: ModuleSpec | None = None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        full, path = ".".join(parts[:depth]), spec.submodule_search_locations if spec else None
        specs = (finder.find_spec(full, path) for finder in sys.meta_path)
        spec = next((each for each in specs if each is not None), None)
        if spec is None or (depth < len(parts) and spec.submodule_search_locations is None):
            return None
    return None if spec is None else spec.origin


def source_of_file(name: str, path: Path) -> SourceCode:
    """Return the source of the module `name` in a file, with the modules beside it."""
    path = path.absolute()
    depth = name.count(".") + (path.name == "__init__.py")
    top = name.partition(".")[0]
    root = path.parents[depth] if depth < len(path.parents) else path.parent
    installed = _is_installed(root)
    modules: dict[str, Path] = {}
    waiting = [(name, path)]
    while waiting:
        name_of_module, file = waiting.pop()
        if name_of_module in modules:
            continue
        modules[name_of_module] = file
        for imported in imported_names(name_of_module, file):
            beside = imported.partition(".")[0]
            if beside != PACKAGE and (beside == top or not installed):
                source_file = file_of(imported, root)
                waiting += [(imported, source_file)] if source_file else []
    return SourceCode(
        {module: file.read_bytes() for module, file in sorted(modules.items())},
        {m: _relative(file, root) for m, file in sorted(modules.items())},
        _versions(top, root, installed),
    )


def is_installed(module: str) -> bool:
    """Return whether a module is of Python or of an installed package. Nothing is imported."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top == PACKAGE:
        return True
    origin = origin_of_module(top)
    if origin is None or not Path(origin).is_absolute():
        return origin is not None  # built into Python
    file = Path(origin)
    return _is_installed(file.parents[1] if file.name == "__init__.py" else file.parent)


def _relative(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


def _is_installed(root: Path) -> bool:
    """Return whether a folder belongs to the Python installation, with many packages in it."""
    paths = sysconfig.get_paths()
    folders = {Path(paths[name]).resolve() for name in ("stdlib", "purelib", "platlib")}
    return root.resolve() in folders or root.name in ("site-packages", "dist-packages")


def _versions(top: str, root: Path, installed: bool) -> dict[str, str]:
    """Return the version of an installed package, or of the one that a copy is from."""
    if (root / VERSIONS_FILE).is_file():
        recorded = json.loads((root / VERSIONS_FILE).read_text(encoding="utf-8"))
        versions: dict[str, str] = recorded.get("packages", {})
        return {top: versions[top]} if top in versions else {}
    return {top: _installed_version(top)} if installed else {}


def _installed_version(top: str) -> str:
    try:
        return importlib.metadata.version(top)
    except importlib.metadata.PackageNotFoundError:
        names: Iterable[str] = importlib.metadata.packages_distributions().get(top, ())
        return ", ".join(sorted({importlib.metadata.version(name) for name in names}))
