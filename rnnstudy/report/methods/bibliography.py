"""Sources of methods: entries of BibTeX, and how a text cites them."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

BIBLIOGRAPHY = Path(__file__).parent / "references.bib"

ENTRY = re.compile(r"^@(\w+)\{(\w+), (.+)\}$", re.MULTILINE)
FIELD = re.compile(r"(\w+) = \{(.*?)\}(?=, \w+ = \{|$)")

ACCENTS = {'"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303"}
"""Accent of BibTeX -> combining character."""


class Source(NamedTuple):
    """Entry of a bibliography."""

    key: str
    kind: str
    """Kind of the entry: article, inproceedings, misc."""
    fields: Mapping[str, str]
    """Field -> its text in BibTeX."""

    @property
    def surnames(self) -> list[str]:
        """Surnames of the authors, `others` included."""
        authors = plain_text(self.fields.get("author", "")).split(" and ")
        return [author.partition(",")[0].strip() for author in authors]

    @property
    def citation(self) -> str:
        """Authors and year, as in a sentence: `Kingma and Ba 2015`."""
        names = self.surnames
        authors = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
        return f"{authors} {self.fields.get('year', '')}".strip().replace("and others", "et al.")

    @property
    def bibtex(self) -> str:
        """Entry in BibTeX, one field a line."""
        lines = [f"  {name} = {{{text}}}," for name, text in self.fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


def parse_bibtex(text: str) -> dict[str, Source]:
    """Return key -> entry of a text in BibTeX with one entry a line.

    Examples
    --------
    >>> line = '@article{holm1979, author = {Holm, Sture}, title = {A test}, year = {1979}}'
    >>> parse_bibtex(line)["holm1979"].citation
    'Holm 1979'
    """
    entries = (
        Source(key, kind, dict(FIELD.findall(fields))) for kind, key, fields in ENTRY.findall(text)
    )
    return {entry.key: entry for entry in entries}


@cache
def known_sources() -> Mapping[str, Source]:
    """Return key -> entry of the sources that this package knows."""
    return parse_bibtex(BIBLIOGRAPHY.read_text(encoding="utf-8"))


def plain_text(text: str) -> str:
    r"""Return a text of BibTeX without its markup.

    Examples
    --------
    >>> plain_text('Sz{\\\'e}kely and {RNN}')
    'Székely and RNN'
    """
    text = text.replace(r"{\AA}", "Å")
    accented = re.sub(
        r"\{\\([\"'`^~])\{?(\w)\}?\}", lambda match: match[2] + ACCENTS[match[1]], text
    )
    return unicodedata.normalize("NFC", re.sub(r"[{}]", "", accented))
