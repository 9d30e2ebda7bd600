"""Linearisation of a map at a point.

`modes`, `non_normality` and `input_jacobian` describe the derivatives at fixed points.
"""
