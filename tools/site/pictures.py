"""Pictures of the gallery: files that an example writes."""

import shutil
from pathlib import Path
from typing import Any

SUFFIXES = (".png", ".svg", ".jpg")


def pictures_of(script: Path) -> list[Path]:
    """Return the pictures beside an example whose names begin with its name.

    Those of other examples, and of reports in folders below, are not its own.
    """
    beside = sorted(script.parent.glob(f"{script.stem}*"))
    return [path for path in beside if path.suffix in SUFFIXES]


class WrittenPictures:
    """Scraper of Sphinx-Gallery for the pictures that an example writes beside itself."""

    def __repr__(self) -> str:
        return "WrittenPictures"

    def __call__(self, block: Any, block_vars: dict[str, Any], gallery_conf: Any) -> str:
        from sphinx_gallery.scrapers import figure_rst

        written = pictures_of(Path(block_vars["src_file"]))
        copies = []
        for path, copy in zip(written, block_vars["image_path_iterator"], strict=False):
            copies.append(str(Path(copy).with_suffix(path.suffix)))
            shutil.copyfile(path, copies[-1])
        return figure_rst(copies, gallery_conf["src_dir"])


def _get_sg_image_scraper() -> WrittenPictures:
    return WrittenPictures()
