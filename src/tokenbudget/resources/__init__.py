"""The things that occupy a window and can leave it: inventory, plan, apply, verify, revert."""
