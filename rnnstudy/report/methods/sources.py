"""Sources that components name in the References of their docstrings."""

import inspect
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rnnstudy.core.component import Component
from rnnstudy.report.methods.bibliography import Source, known_sources

SECTION = re.compile(r"References\n-{3,}\n(.*?)(?=\n\n|\Z)", re.DOTALL)
YEAR = re.compile(r"\(?\b((?:18|19|20)\d\d)\b\)?")
LAST_AUTHOR = re.compile(r",?\s+(?:&|and)\s+")
SENTENCE_END = re.compile(r"(?<!al)[.;:]\s+|[\"“”]\s*")


def sources_of(component: Component) -> list[Source]:
    """Return the sources of a component, of its bases, and of the components in its fields.

    A source is looked up by its first author and its year. One that this package does not know
    has an entry made of the words of the docstring.

    Parameters
    ----------
    component
        A task, a cell, an analysis, ...

    Examples
    --------
    >>> from rnnstudy.cells import GRU
    >>> "cho2014" in [source.key for source in sources_of(GRU())]
    True
    """
    listed = [
        source
        for base in type(component).__mro__
        if issubclass(base, Component)
        for source in sources_in(inspect.cleandoc(vars(base).get("__doc__") or ""))
    ]
    nested = [source for each in _components(component) for source in sources_of(each)]
    return list({source.key: source for source in (*listed, *nested)}.values())


def _components(component: Component) -> Iterator[Component]:
    """Yield the components in the fields of a component."""
    for name in type(component).model_fields:
        yield from _flatten(getattr(component, name))


def _flatten(value: Any) -> Iterable[Component]:
    if isinstance(value, Component):
        return [value]
    if isinstance(value, Mapping):
        value = tuple(value.values())
    return [each for part in value for each in _flatten(part)] if isinstance(value, tuple) else []


def sources_in(docstring: str) -> list[Source]:
    """Return the sources in the References of a docstring, in order.

    Examples
    --------
    >>> text = 'A.\\n\\nReferences\\n----------\\nKingma & Ba (2015), "Adam". Doe 1999, Of nothing.'
    >>> [(source.key, source.fields["title"]) for source in sources_in(text)][1]
    ('doe1999', 'Of nothing')
    """
    section = SECTION.search(docstring)
    text = " ".join(section[1].split()) if section else ""
    references, start = [], 0
    for year in YEAR.finditer(text):
        authors = SENTENCE_END.split(text[start : year.start()])[-1].strip(" ,(")
        start = year.end()
        if authors[:1].isupper():
            references.append(_source(authors, year[1], text[start:]))
    return references


def _source(authors: str, year: str, rest: str) -> Source:
    """Return the entry of a reference; `rest` is the text after its year."""
    surname = re.split(r",| &| and | et al", authors)[0].strip()
    for source in known_sources().values():
        same_name = _letters(source.surnames[0]) == _letters(surname)
        if same_name and source.fields.get("year") == year:
            return source
    title = re.match(r"[,:]?\s*(?:\"([^\"]+)\"|([^.;]+))", rest)
    words = "" if title is None else (title[1] or title[2]).strip()
    fields = {"author": authors_in_bibtex(authors), "title": words, "year": year}
    return Source(f"{_letters(surname)}{year}", "misc", fields)


def authors_in_bibtex(authors: str) -> str:
    """Return the authors of a reference as BibTeX reads them: names with " and " between them.

    In BibTeX, commas divide one name. Here they also divide surnames of a list.

    Examples
    --------
    >>> authors_in_bibtex("Doe, Roe & Poe"), authors_in_bibtex("Doe et al.")
    ('Doe and Roe and Poe', 'Doe and others')
    >>> authors_in_bibtex("Doe, Jane & Roe, Richard")
    'Doe, Jane and Roe, Richard'
    """
    names = LAST_AUTHOR.split(re.sub(r",?\s+et al\b\.?", " & others", authors))
    full_names = "," in names[-1] and all(name.count(",") <= 1 for name in names)
    listed = names if full_names else [each for name in names for each in name.split(",")]
    return " and ".join(name.strip() for name in listed)


def _letters(name: str) -> str:
    """Return a surname for comparisons: lower-case letters without accents."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", plain.lower())
