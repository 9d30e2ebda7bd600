"""Linearisation of a map at a point: Jacobians, modes, non-normality."""
