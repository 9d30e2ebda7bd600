"""Execution by processes of other machines, over Dask."""
