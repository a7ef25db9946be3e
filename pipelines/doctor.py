"""What would stop a run, and the one command that mends each."""
