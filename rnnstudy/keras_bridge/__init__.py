"""Keras models in and out: layers of our cells, float64 copies, cells of other people."""
