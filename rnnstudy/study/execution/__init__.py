"""Execution of jobs against the store."""
