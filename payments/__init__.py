"""Everything that moves money; it knows nothing of the web and leans on nothing above it."""
