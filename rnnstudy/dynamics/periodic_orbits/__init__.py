"""Periodic orbits by multiple shooting, with Floquet multipliers."""
