"""The only layer with input and output: steps, tables on disk, tracking and the CLI."""
