"""Tasks of NeuroGym (extra `neurogym`)."""
