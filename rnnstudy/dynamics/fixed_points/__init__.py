"""Fixed points of networks at constant inputs, with slow points, continua and certificates.

`find_fixed_points` searches, `FixedPointSearch` has its settings, `FixedPoints` is its record.
"""
