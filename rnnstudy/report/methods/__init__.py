"""Methods of a study as text for a paper, with its sources.

`text` writes the paragraphs, `sources` finds the sources that components name, and `bibliography`
reads `references.bib`.
"""
