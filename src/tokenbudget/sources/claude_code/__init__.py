"""Claude Code: transcripts under `projects/`, one JSON object per line."""
