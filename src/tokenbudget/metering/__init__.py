"""Count tokens and price them, as of a date. Pure arithmetic over a dated price table."""
