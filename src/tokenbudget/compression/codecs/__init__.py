"""The codecs, in the order in which they are asked; the first that saves tokens is taken.

Each module of this folder is one codec and ends with its `CODEC`. To add one is a file and a line
below. What looks at less of a text and is surer of its kind stands first; what fits any text, last.
A module here is imported by every hook that shortens: it imports nothing heavy at its top.
"""

from __future__ import annotations

from tokenbudget.compression.codecs.blob import CODEC as BLOB
from tokenbudget.compression.codecs.diffs import CODEC as DIFFS
from tokenbudget.compression.codecs.grep import CODEC as GREP
from tokenbudget.compression.codecs.history import CODEC as HISTORY
from tokenbudget.compression.codecs.html import CODEC as HTML
from tokenbudget.compression.codecs.json import CODEC as JSON
from tokenbudget.compression.codecs.listing import CODEC as LISTING
from tokenbudget.compression.codecs.lockfile import CODEC as LOCKFILE
from tokenbudget.compression.codecs.logs import CODEC as LOGS
from tokenbudget.compression.codecs.reread import CODEC as REREAD
from tokenbudget.compression.codecs.rows import CODEC as ROWS
from tokenbudget.compression.codecs.runs import CODEC as RUNS
from tokenbudget.compression.codecs.seen import CODEC as SEEN
from tokenbudget.compression.codecs.source import CODEC as SOURCE
from tokenbudget.compression.codecs.table import CODEC as TABLE
from tokenbudget.compression.codecs.text import CODEC as TEXT
from tokenbudget.compression.codecs.traces import CODEC as TRACES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.compression.codec import Codec

CODECS: tuple[Codec, ...] = (
    # What stands in the window already.
    REREAD,
    SEEN,
    # What has a grammar of its own.
    LOCKFILE,
    ROWS,
    JSON,
    HTML,
    TABLE,
    # What a command prints.
    DIFFS,
    HISTORY,
    RUNS,
    TRACES,
    GREP,
    LISTING,
    LOGS,
    # What is read whole although a part would do; the policy decides when.
    SOURCE,
    # What fits anything: overlong lines, then any long text.
    BLOB,
    TEXT,
)
