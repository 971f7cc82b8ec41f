"""What the controller sees of a session, as one line of JSON; run in a sandbox.

python -m tests.e2e.held_now SESSION
"""

import json
import sys

from tokenbudget.app import Terminal, control_signals, open_workbench
from tokenbudget.collector.ingest import Want
from tokenbudget.config.settings import environment_settings


def main() -> None:
    """Look once, and print it."""
    terminal = Terminal(lambda words: print(words, file=sys.stderr), lambda done, whole: None)
    with open_workbench(environment_settings(), terminal, Want.DETAIL) as bench:
        memory = control_signals.Memory()
        seen = control_signals.look(bench, sys.argv[1], bench.clock.now_ms(), memory)
    found = None if seen is None else {**seen._asdict(), "held": [h._asdict() for h in seen.held]}
    print(json.dumps(found, default=str))


if __name__ == "__main__":
    main()
