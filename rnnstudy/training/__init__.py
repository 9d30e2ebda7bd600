"""Training of cohorts: protocol, state, step, evaluation, devices."""
