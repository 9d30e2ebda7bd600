"""The command line: commands, progress, summary of the plan."""
