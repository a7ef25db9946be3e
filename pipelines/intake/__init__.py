"""From a source as it is to checked tables: read, normalise, tell apart, count every row."""
