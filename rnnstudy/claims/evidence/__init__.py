"""Evidence of claims: measurements of networks, results of controls, and the record of both."""
