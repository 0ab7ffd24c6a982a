"""The data of `data/`, read once and checked: an error names file, line and reason."""
