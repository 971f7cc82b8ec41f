"""One validated `Settings`; each value knows where it came from."""
