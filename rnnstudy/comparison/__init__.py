"""Comparison of networks from arrays: distances between them, and statistics of the distances.

`distances` has all pairs under a metric, maps of networks, graphs and ordered points. `statistics`
has tests and intervals whose unit is the network. Nothing in this folder knows a network.
"""
