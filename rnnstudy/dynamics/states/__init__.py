"""States and points in state space: samples, clusters, projections, records of points."""
