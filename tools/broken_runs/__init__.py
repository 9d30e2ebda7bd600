"""Parts of `tools/soak.py`: processes that run the command line, damages, and what is compared."""
