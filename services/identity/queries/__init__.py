"""What identity looks up. What is not the caller's is not found."""
