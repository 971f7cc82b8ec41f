"""Read one agent's files as typed events. One package per agent, the same three modules in each."""
