"""The command line: commands, progress, summaries of plans and runs."""
