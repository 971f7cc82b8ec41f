"""One process per user that answers hooks at once, over a socket of the user's own."""
