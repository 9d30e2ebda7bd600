"""Linearisation of a map at a point.

`modes`, `non_normality` and `input_jacobian` describe the derivatives at fixed points.
`mode_response` and `hankel_singular_values` describe responses from an input to a readout.
"""
