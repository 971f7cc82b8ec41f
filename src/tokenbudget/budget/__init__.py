"""How a window is allotted, how healthy it is, how fast it burns. Pure arithmetic."""
