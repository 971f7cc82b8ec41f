"""The operating system, behind seams that tests replace: clock, paths, locks, processes."""
