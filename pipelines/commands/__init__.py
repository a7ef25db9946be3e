"""The commands of the command line, by who uses them.

Each reads its arguments, calls one function and prints what it returns. Heavy libraries are
imported inside the commands, so that ``keepwell --help`` answers at once.
"""
