"""Connections and transition probabilities between fixed points.

`connections` in `connections` follows the unstable directions of saddles and repellers.
`Connections` in `record` is its record. Edge tracking in `unstable_directions` finds the narrow
basins between directions.

`transitions` in `transitions` estimates transition probabilities under noise and pulses of input.
`Transitions` in `transition_record` is its record.

`arrivals` labels the ends of trajectories by known points. `links` averages edges by label for
graph distances.
"""
