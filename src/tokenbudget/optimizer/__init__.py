"""What decides: from observations to decisions. Never acts, never reads a file."""
