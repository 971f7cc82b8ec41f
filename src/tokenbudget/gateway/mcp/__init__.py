"""One MCP server before all others: find a tool, read its signature, run code that calls it."""
