"""Layers of Keras around a recurrent one: encoders of inputs, checks of files, plain models."""
