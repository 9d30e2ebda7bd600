"""Copies of the user's code in a run directory, and results that edited code makes anew."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from rnnstudy.core.component import components_in
from rnnstudy.core.files import parse_json, read_file, remove_folder, write_folder
from rnnstudy.core.source.classes import is_own, replaced_hashes, source_of
from rnnstudy.core.source.files import (
    NO_SOURCE,
    VERSIONS_FILE,
    SourceCode,
    is_installed,
    origin_of_module,
    source_of_module,
)
from rnnstudy.core.tags import class_path
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.plan import Plan, make_plan
from rnnstudy.study.spec.imported_models import ImportedNetworkSpec
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.spec.study import Study, build_study, resolve_study
from rnnstudy.study.spec_text.reader import parse_document
from rnnstudy.study.store import Store

FOLDER = "code"
"""Folder of a run directory that holds the user's code."""


RECORD_LIMIT = 1 << 26
"""Largest number of bytes of the record of copied code that is read."""


def own_classes(study: Study) -> dict[str, type]:
    """Return the user's classes in a study, by path."""
    networks = [n for _, n in study.expand() if isinstance(n, TrainedNetworkSpec)]
    cells = {id(network.cell): network.cell for network in networks}
    classes = {type(each) for each in components_in((study, tuple(cells.values())))}
    return {class_path(cls): cls for cls in sorted(classes, key=class_path) if is_own(cls)}


def source_in(study: Study) -> SourceCode:
    """Return the source of all classes of a study that are the user's."""
    source = NO_SOURCE
    for cls in own_classes(study).values():
        source += source_of(cls)
    imported = [n for _, n in study.expand() if isinstance(n, ImportedNetworkSpec)]
    for module in sorted({network.module for network in imported if network.module}):
        source += source_of_module(module)
    return source


def write_code(study: Study, directory: Path) -> None:
    """Write the modules of the user's classes to `code/` of a run directory, all at once."""
    folder, source = directory / FOLDER, source_in(study)
    if not source.modules:
        if (folder / VERSIONS_FILE).exists():
            remove_folder(folder)
        return
    hashes = {path: source_of(cls).sha256 for path, cls in own_classes(study).items()}
    record = {"classes": hashes, "files": dict(source.files), "packages": dict(source.packages)}
    contents = {name: source.modules[module] for module, name in source.files.items()}
    contents[VERSIONS_FILE] = (json.dumps(record, indent=1) + "\n").encode()
    if any(_content(folder / name) != content for name, content in contents.items()):
        write_folder(folder, contents)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def _code_record(directory: Path) -> Mapping[str, Any]:
    """Return what the last run wrote about its code; empty if there is nothing."""
    try:
        data = parse_json(read_file(directory / FOLDER / VERSIONS_FILE, RECORD_LIMIT))
    except (OSError, ValueError):
        return {}
    # A directory from elsewhere may hold anything, and must not name files outside of its folder.
    parts = data if isinstance(data, dict) else {}
    files, hashes = _texts(parts.get("files")), _texts(parts.get("classes"))
    inside = {m: f for m, f in files.items() if not {"", ".."} & {*f.split("/")} and "\0" not in f}
    return {"files": inside, "classes": hashes}


def _texts(value: Any) -> dict[str, str]:
    """Return the entries of a mapping whose values are texts."""
    entries = value.items() if isinstance(value, Mapping) else ()
    return {name: text for name, text in entries if isinstance(text, str)}


def edited_classes(study: Study, directory: str | Path) -> dict[str, str]:
    """Return the classes whose source differs from that of the last run -> their hash then."""
    hashes = _code_record(Path(directory)).get("classes", {})
    return {
        path: hashes[path]
        for path, cls in own_classes(study).items()
        if path in hashes and hashes[path] != source_of(cls).sha256
    }


def edited_code_lines(
    study: Study, plan: Plan, store: Store, directory: str | Path
) -> Iterator[str]:
    """Yield lines on edited code: the classes, and the results that are made anew because of it."""
    edited = edited_classes(study, directory)
    if not edited:
        return
    with replaced_hashes(edited):
        former = build_study(parse_document(resolve_study(study), "resolved.yaml"))
        before = {group: done for group, done, _ in make_plan(former, store).done}
    now = {group: done for group, done, _ in plan.done}
    anew = {group: done - now.get(group, 0) for group, done in before.items()}
    listed = ", ".join(f"{group} {count}" for group, count in anew.items() if count > 0)
    yield f"edited since the last run: {', '.join(edited)}"
    yield f"made anew because of it: {listed or 'nothing that the store holds'}"


def import_copies(directory: str | Path) -> Path:
    """Let the modules in `code/` of a run directory be imported, and return the folder.

    They go before files of other folders, but never before installed packages. Raises RunError if
    there are none, or if a module of one of their names is loaded or installed with another text.
    """
    folder = Path(directory).absolute() / FOLDER
    files = _code_record(Path(directory)).get("files", {})
    if not files:
        raise RunError(f"{folder} holds no code; open the run without code=True")
    for module, name in files.items():
        loaded = getattr(sys.modules.get(module), "__file__", None)
        if loaded and not _same_text(Path(loaded), folder / name):
            raise RunError(
                f"module {module!r} is loaded from {loaded}, whose text is not that of "
                f"{folder / name}; open the run in a new process"
            )
        if not loaded and is_installed(module) and not _same_origin(module, folder / name):
            raise RunError(
                f"module {module!r} is installed, and {folder / name} has another text; "
                "a copy replaces no installed module"
            )
    copies = _CopiedModules({module: folder / name for module, name in files.items()})
    if copies not in sys.meta_path:
        sys.meta_path.insert(0, copies)
    return folder


@dataclass(frozen=True)
class _CopiedModules(MetaPathFinder):
    """Import hook for the copied modules of a run directory."""

    paths: Mapping[str, Path]

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        file = self.paths.get(name)
        return None if file is None else spec_from_file_location(name, file)


def _same_origin(module: str, copy: Path) -> bool:
    origin = origin_of_module(module)
    return origin is not None and _same_text(Path(origin), copy)


def _same_text(path: Path, copy: Path) -> bool:
    try:
        return read_file(path, follow_links=True) == read_file(copy)
    except OSError:
        return False


def has_copies(directory: str | Path) -> bool:
    """Return whether a run directory holds the user's code."""
    return bool(_code_record(Path(directory)).get("files"))
