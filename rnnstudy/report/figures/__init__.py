"""Figures of exhibits, with matplotlib and plotly; `plot` draws any exhibit or record."""
