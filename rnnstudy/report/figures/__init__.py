"""Figures of exhibits, with matplotlib and plotly."""
