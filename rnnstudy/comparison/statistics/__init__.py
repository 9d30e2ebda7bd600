"""Tests, intervals and effect sizes; the unit is the network, not the pair.

- Labels against distances: `agreement_test`, `separation_test`, `paired_test`.
- Explained shares and dispersions: `permanova`, `explained_shares`, `dispersion_test`.
- Levels of a factor as alike or different: `level_differences`, `equivalence_test`.
- Positive controls of a measure: `informative_tests`, `informative_values`, `detection_test`.
- Two kinds of neighbours: `nearness_test`.
- Two groups of numbers: `superiority_test`.
- Groups of equal performance: `match_groups`.
- Many tests: `holm`, `benjamini_hochberg`.
"""
