"""YAML with places: reading, writing, messages, overrides of the command line."""
