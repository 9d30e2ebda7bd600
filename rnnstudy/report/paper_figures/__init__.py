"""Figures for papers: the panels of Maheswaranathan et al. 2019, drawn from the records of a run.

A panel has two functions. The first computes tidy tables from records. The second draws the tables,
and nothing else. `memory`, `sine` and `integration` have the panels of figures 1, 2 and 3.
`results` reads records, `style` has sizes and settings, and `saving` writes files.
"""
