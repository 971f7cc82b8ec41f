"""Ways in which tokens are lost: each a named detector over one thread, or over a project."""
