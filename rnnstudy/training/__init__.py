"""Training of cohorts: protocol, state, step, evaluation, devices.

`train.train` trains networks that share a cell and a task. `evaluation.evaluate` returns their loss
and accuracy.
"""
