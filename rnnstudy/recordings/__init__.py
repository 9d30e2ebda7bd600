"""Recordings of neurons: their files, condition averages, split halves and noise ceilings."""
