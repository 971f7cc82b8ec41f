"""In the agent's path: the status line. Fails open: no fault of ours breaks the agent's turn."""
