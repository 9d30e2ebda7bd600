"""Weights of PyTorch, Flax and Equinox as named arrays: their files, their layouts, their parts.

Nothing here imports TensorFlow, and PyTorch is imported for its own files only.
"""
