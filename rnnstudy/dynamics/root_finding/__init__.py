"""Roots of maps from many starts: solvers, multi-start, chord method, deflation."""
