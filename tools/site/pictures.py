"""Pictures of the gallery: files that an example writes."""

import shutil
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst

SUFFIXES = (".png", ".svg", ".jpg")


class WrittenPictures:
    """Scraper of Sphinx-Gallery for the pictures that an example writes beside itself."""

    def __init__(self) -> None:
        self.known: set[Path] = set()

    def __repr__(self) -> str:
        return "WrittenPictures"

    def __call__(self, block: Any, block_vars: dict[str, Any], gallery_conf: Any) -> str:
        folder = Path(block_vars["src_file"]).parent
        new = [p for p in sorted(folder.rglob("*")) if p.suffix in SUFFIXES and p not in self.known]
        self.known |= set(new)
        copies = []
        for path, copy in zip(new, block_vars["image_path_iterator"], strict=False):
            copies.append(str(Path(copy).with_suffix(path.suffix)))
            shutil.copyfile(path, copies[-1])
        return figure_rst(copies, gallery_conf["src_dir"])


def _get_sg_image_scraper() -> WrittenPictures:
    return WrittenPictures()
