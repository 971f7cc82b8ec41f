"""What is answered to one hook event of the agent: decided from small files, never by raising.

`handler.answer` is the whole of it; the daemon and the hook's own process call the same. A process
is started for every event where no daemon runs, so nothing here imports more than it must: no
`typing` (9 ms), `re` (6 ms), `json` (7 ms) or `contextlib`, which are as much as bare Python
itself. Values are therefore classes with slots, and JSON goes through `statusline_values`.
docs/hooks.md describes the events.
"""
