"""Keras models in and out of this package.

`to_model` and `keras_cell` make Keras objects from populations and cells. Models of users become
float64 copies or populations (`Population.from_models`).
"""
