"""One writer per export format: rows in, bytes out, a batch at a time."""
