"""The jobs of a study, with the addresses of their results."""
