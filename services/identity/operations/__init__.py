"""What identity does inside somebody's transaction; nothing here commits or calls the network."""
