"""Generalisation of networks to trials that differ from those of training."""
