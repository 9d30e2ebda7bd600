"""Analysis of variance of distances: explained shares, their intervals, and dispersions."""
