"""Removal of files and folders, and drafts: files that are not whole yet or no longer wanted."""

import time
import uuid
from contextlib import suppress
from pathlib import Path

from rnnstudy.core.files.changes import remove_tree, rename, unlink

DRAFT = ".draft-"
"""Start of the names of drafts."""

DRAFT_LIFETIME = 3600.0
"""Seconds after which no writer can still be at work on a draft."""


def remove_file(path: str | Path) -> None:
    """Remove a file or a link, if there is one."""
    with suppress(FileNotFoundError):
        unlink(Path(path))


def remove_folder(path: str | Path) -> None:
    """Remove a folder, all at once for readers. A link is removed, what it names is not."""
    path = Path(path)
    if path.is_symlink() or not path.is_dir():
        remove_file(path)
        return
    if not path.name.startswith(DRAFT):
        draft = draft_beside(path)
        rename(path, draft)
        path = draft
    remove_tree(path)


def draft_beside(path: Path) -> Path:
    """Return a new name beside a path, with its suffix, for a draft of it."""
    return path.parent / f"{DRAFT}{uuid.uuid4().hex[:12]}{path.suffix[:20]}"


def clear_drafts(folder: str | Path, lifetime: float = DRAFT_LIFETIME) -> None:
    """Remove drafts of interrupted writers. A young draft may belong to a running one.

    Parameters
    ----------
    folder
        The folder whose drafts are removed, without those of folders in it.
    lifetime
        Age, in seconds, above which a draft is removed. Default: an hour.
    """
    for draft in Path(folder).glob(f"{DRAFT}*"):
        with suppress(OSError):
            if time.time() - draft.lstat().st_mtime > lifetime:
                remove_folder(draft)
