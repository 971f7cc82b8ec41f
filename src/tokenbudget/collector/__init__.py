"""Bring the ledger up to date: incremental, idempotent, safe to interrupt at any point."""
