"""What `keepwell init` does: look at files that nobody has described and propose a catalogue."""
