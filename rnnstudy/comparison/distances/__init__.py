"""Distances between networks, and maps of networks in a few dimensions.

- All pairs under a metric: `pairwise`, `prepare_forms`, `pairwise_distances`.
- All pairs in bounded memory: `tile_distances`, `assemble_tiles`.
- Maps: `classical_mds`, `stress_mds`, `reference_map`.
- Weighted graphs: `labelled_distances`, `isomorphic_distances`, `spectral_distances`.
- Ordered points: `point_geometry_distances`, `geodesic_distances`.
"""
