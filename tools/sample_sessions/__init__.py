"""Invented Claude Code transcripts with exact truth: for a first look, for tests, for `make bench`.

A module per question: what is said (`projects`, `texts`, `attachments`), what tools return
(`tool_calls`), what requests cost (`metering`), how a session goes (`conversation`, `scenes`,
`subagents`), which sessions there are (`plan`), what the bytes are (`transcript`), and what a
correct reader must find in them (`truth`).
"""

from sample_sessions.generator import generate
from sample_sessions.truth import Tokens, Truth

__all__ = ["Tokens", "Truth", "generate"]
