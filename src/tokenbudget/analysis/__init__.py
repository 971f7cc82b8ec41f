"""From rows to findings. Read-only; decides nothing."""
