"""Durable files: written beside, flushed to the disk, renamed. Links are never followed.

A reader sees a whole file or folder, or none. After a power failure the same holds.
"""

from rnnstudy.core.files.changes import sync_folder
from rnnstudy.core.files.names import short_name
from rnnstudy.core.files.reading import IrregularFile, open_file, parse_json, read_file
from rnnstudy.core.files.removing import (
    DRAFT,
    clear_drafts,
    draft_beside,
    remove_file,
    remove_folder,
)
from rnnstudy.core.files.writing import (
    LinkError,
    make_folder,
    publish_file,
    publish_folder,
    refuse_links,
    replace_folder,
    write_file,
    write_folder,
)

__all__ = [
    "DRAFT",
    "IrregularFile",
    "LinkError",
    "clear_drafts",
    "draft_beside",
    "make_folder",
    "open_file",
    "parse_json",
    "publish_file",
    "publish_folder",
    "read_file",
    "refuse_links",
    "remove_file",
    "remove_folder",
    "replace_folder",
    "short_name",
    "sync_folder",
    "write_file",
    "write_folder",
]
