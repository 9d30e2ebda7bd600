"""Forms of the compiled training program."""
