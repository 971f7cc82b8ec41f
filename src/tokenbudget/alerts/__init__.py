"""Tell a person, once, on the channel they chose, and say when it is over."""
