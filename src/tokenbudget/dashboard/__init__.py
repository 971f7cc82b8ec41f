"""Live views over one immutable snapshot."""
