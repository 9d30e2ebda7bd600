"""Basins of attraction by following states to attractors.

`basins` in `basins` is the public function, and `Basins` in `record` is its record. `follow` has
`follow_to_attractors`, the one routine that follows states; connections and transitions share it.
`known_points` has the fixed points of a system and the radii within which states have arrived.
"""
