"""What a marketer receives: action files, the manifest and the report."""
