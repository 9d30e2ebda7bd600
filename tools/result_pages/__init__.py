"""Parts of `tools/results.py`: tables and figures of a run, and the page that shows them."""
