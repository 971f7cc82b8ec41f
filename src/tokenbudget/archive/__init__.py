"""Keep and give back: every write verified, every removal recoverable.

One zstd file for a group of sessions, a manifest with the hash of every byte. Nothing here decides
which session is old or live: that is said by the caller, and asked again before an original moves.
"""
