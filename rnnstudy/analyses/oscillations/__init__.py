"""Oscillations of networks that generate a sine."""
