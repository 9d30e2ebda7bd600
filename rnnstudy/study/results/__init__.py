"""Results of a run: tables, models, records."""
