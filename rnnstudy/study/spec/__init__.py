"""Checked values of a spec, and the networks of its grid."""
