"""Tasks whose trials have parts, such as a delay and a response."""
