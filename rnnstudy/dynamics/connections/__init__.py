"""Connections between fixed points, and transitions by noise or pulses."""
