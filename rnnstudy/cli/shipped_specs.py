"""Specs that come with the package, as examples."""

from pathlib import Path

import yaml

from rnnstudy.core.errors import suggestion
from rnnstudy.study.errors import RunError

CODE = Path(__file__).parents[1]


def shipped_specs() -> dict[str, Path]:
    """Return the path of each spec that comes with the package, by its name.

    In an installed package they are beside the code, in a clone in the folder `specs`.

    Examples
    --------
    >>> from rnnstudy.cli.shipped_specs import shipped_specs
    >>> "quickstart" in shipped_specs()
    True
    """
    for folder in (CODE / "specs", CODE.parent / "specs"):
        if (folder / "schema.json").is_file():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def needs_files(spec: Path) -> bool:
    """Return whether a spec names a file that is not beside it: of a network, or of a recording.

    Examples
    --------
    >>> from rnnstudy.cli.shipped_specs import needs_files, shipped_specs
    >>> needs_files(shipped_specs()["quickstart"])
    False
    """
    content = yaml.safe_load(spec.read_text(encoding="utf-8"))
    entries = [*content.get("models", ()), *content.get("data", ())]
    return not all(any(spec.parent.glob(entry["file"])) for entry in entries)


def shipped_spec(name: str) -> Path:
    """Return the path of a spec that comes with the package; RunError if there is none."""
    specs = shipped_specs()
    if name not in specs:
        known = ", ".join(specs) or "none"
        raise RunError(f"example must be one of {known}, got {name!r}{suggestion(name, specs)}")
    return specs[name]
