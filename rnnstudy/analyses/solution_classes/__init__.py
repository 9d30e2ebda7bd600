"""Classes of solutions: the attractors of each network, its fixed points, and their links."""
