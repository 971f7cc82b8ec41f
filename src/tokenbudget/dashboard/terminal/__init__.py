"""The live view in a terminal, drawn with Textual; nothing is imported before it is shown."""
