"""The catalogue: finds, checks and runs the rules."""
