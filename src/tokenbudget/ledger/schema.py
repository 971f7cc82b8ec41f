"""The ledger's tables as one commented contract; `docs/schema.md` is generated from it.

History
    1  files, responses with their iterations, sessions, detail events, hourly rollup
    2  pieces of context windows with their counts, calibration
    3  what the agent itself reports through its status line: limits, window sizes
    4  alerts: what they remember, decisions, messages to be sent, history; sessions by index
    5  the journal of what was changed, and where each archived session lies
    6  studies: what each transcript spent, and on what; fixes that were applied
    7  the controller: what it remembers, what it decided, what its actions freed
"""

from __future__ import annotations

SCHEMA_VERSION = 7

MILLISECONDS_PER_HOUR = 3_600_000

TABLES = """
CREATE TABLE meta (
    -- Facts about this ledger itself.
    key   TEXT PRIMARY KEY,  -- 'price_thresholds': prompt sizes at which a price changes, JSON list
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE project (
    -- A repository, or a directory outside any; worktrees are folded into their repository.
    id   INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
);

CREATE TABLE model (
    -- A model as the agent names it.
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE file (
    -- A transcript and how far it has been read. Rows outlive their files.
    id              INTEGER PRIMARY KEY,
    path            NOT NULL UNIQUE,            -- TEXT; BLOB where the name is not UTF-8
    agent           TEXT NOT NULL,              -- which coding agent wrote it: 'claude-code'
    session         TEXT NOT NULL,              -- the session by the file's place
    is_subagent     INTEGER NOT NULL,
    project_id      INTEGER REFERENCES project, -- NULL until a line names a working directory
    size_bytes      INTEGER NOT NULL,           -- size, mtime and inode when it was last read:
    mtime_ns        INTEGER NOT NULL,           --   nothing is opened while all three stay
    inode           INTEGER NOT NULL,
    usage_offset    INTEGER NOT NULL,           -- bytes whose usage is in `response`
    detail_offset   INTEGER NOT NULL,           -- bytes whose other events are in the ledger
    head_sum        INTEGER NOT NULL,           -- CRC-32 of the first and of the last 4,096 bytes
    tail_sum        INTEGER NOT NULL,           --   before usage_offset
    lines           INTEGER NOT NULL,           -- lines before detail_offset, and of them:
    blank_lines     INTEGER NOT NULL,
    malformed_lines INTEGER NOT NULL,           --   no JSON, no object, or too long
    repaired_lines  INTEGER NOT NULL,           --   read leniently (lone surrogate, NaN, odd type)
    synthetic_lines INTEGER NOT NULL,           --   the client's own words, never counted
    rereads         INTEGER NOT NULL,           -- how often it was rewritten and read afresh
    trouble         TEXT,                       -- why it could not be read last time
    gone_at_ms      INTEGER                     -- when it was first missed; its rows stay
);

CREATE TABLE problem (
    -- A line that was passed over, for `tokens doctor`.
    file_id     INTEGER NOT NULL REFERENCES file,
    byte_offset INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (file_id, byte_offset)
) WITHOUT ROWID;

CREATE TABLE session (
    -- One conversation, main thread and subagents.
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,  -- the agent's own id
    git_branch TEXT NOT NULL,         -- the last one seen
    version    TEXT NOT NULL,         -- the agent's version, the last one seen
    title      TEXT NOT NULL,         -- as the agent or the user named it
    cwd        TEXT NOT NULL,         -- where it was started
    first_at   TEXT NOT NULL,         -- ISO 8601, of any line
    last_at    TEXT NOT NULL
);

CREATE TABLE response (
    -- One API response, merged from all its copies: docs/counting.md.
    id                    INTEGER PRIMARY KEY,
    key                   TEXT NOT NULL,      -- message id, else request id, else line uuid
    file_id               INTEGER NOT NULL REFERENCES file,     -- of the copy that owns it,
    byte_offset           INTEGER NOT NULL,                     --   and where that line begins
    session_id            INTEGER NOT NULL REFERENCES session,
    model_id              INTEGER NOT NULL REFERENCES model,
    started_at_ms         INTEGER NOT NULL,   -- UTC; 0 when no line had a usable time
    is_sidechain          INTEGER NOT NULL,   -- 1: a subagent's
    speed                 INTEGER NOT NULL,   -- 0 standard, 1 fast, 2 one without a price
    service_tier          INTEGER NOT NULL,   -- 0 standard, 1 batch, 2 one without a price
    input_tokens          INTEGER,            -- NULL when no copy reported usage, never 0 for it:
    output_tokens         INTEGER,            --   input excludes everything read from or
    cache_write_5m_tokens INTEGER,            --   written to the cache
    cache_write_1h_tokens INTEGER,
    cache_read_tokens     INTEGER,
    web_search_requests   INTEGER NOT NULL,
    thinking_tokens       INTEGER,            -- part of output_tokens, where reported
    has_stop_reason       INTEGER NOT NULL,   -- 0: the final usage never came, output is too low
    has_cache_split       INTEGER NOT NULL,   -- 0: all cache writes were taken as 5-minute ones
    skill                 TEXT NOT NULL,      -- the skill that the client credits, or ''
    reported_usd          TEXT NOT NULL       -- cost as old clients wrote it, or ''; never summed
);
CREATE UNIQUE INDEX response_key ON response (key);
CREATE INDEX response_time ON response (started_at_ms);

CREATE TABLE response_iteration (
    -- Earlier attempts of a response that took several, each billed to its own model.
    response_id           INTEGER NOT NULL REFERENCES response ON DELETE CASCADE,
    position              INTEGER NOT NULL,
    model_id              INTEGER NOT NULL REFERENCES model,
    input_tokens          INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    PRIMARY KEY (response_id, position)
) WITHOUT ROWID;

CREATE TABLE response_copy (
    -- Further files that hold a copy of a response, beside the owner's.
    response_id INTEGER NOT NULL REFERENCES response ON DELETE CASCADE,
    file_id     INTEGER NOT NULL REFERENCES file,
    PRIMARY KEY (response_id, file_id)
) WITHOUT ROWID;

CREATE TABLE tool (
    -- A tool by name; MCP tools name their server.
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    mcp_server TEXT                    -- NULL for the agent's own tools
);

CREATE TABLE tool_call (
    -- A tool call and its result, joined by the provider's tool_use id.
    tool_use_id    TEXT PRIMARY KEY,
    response_id    INTEGER REFERENCES response,  -- NULL: the call stands in no line that we have
    tool_id        INTEGER REFERENCES tool,
    target         TEXT,                         -- path, skill, agent type or address; '' if none
    input_bytes    INTEGER,                      -- bytes of the arguments' JSON text
    input_hash     INTEGER,                      -- equal numbers mean equal arguments
    called_at_ms   INTEGER,
    call_file_id   INTEGER REFERENCES file,      -- where the line stands, to read it again
    call_offset    INTEGER,
    result_bytes   INTEGER,                      -- NULL: no result seen
    result_hash    INTEGER,
    is_error       INTEGER,
    duration_ms    INTEGER,                      -- NULL where the client did not say
    answered_at_ms INTEGER,
    result_file_id INTEGER REFERENCES file,
    result_offset  INTEGER
) WITHOUT ROWID;
CREATE INDEX tool_call_response ON tool_call (response_id);

CREATE TABLE content (
    -- Blocks of words: who wrote how much, and where it stands.
    uuid        TEXT NOT NULL,     -- of the line
    position    INTEGER NOT NULL,  -- of the block in the line
    file_id     INTEGER NOT NULL REFERENCES file,
    byte_offset INTEGER NOT NULL,
    session_id  INTEGER NOT NULL REFERENCES session,
    response_id INTEGER REFERENCES response,  -- NULL for what a person or the client wrote
    kind        TEXT NOT NULL,     -- prompt, notice, summary, text, thinking, image, other
    size_bytes  INTEGER NOT NULL,  -- bytes of the JSON text
    at_ms       INTEGER NOT NULL,
    PRIMARY KEY (uuid, position)
) WITHOUT ROWID;
CREATE INDEX content_response ON content (response_id);
CREATE INDEX content_session ON content (session_id, kind);

CREATE TABLE attachment (
    -- Text that the client injected: memory files, skill listings, reminders.
    uuid        TEXT PRIMARY KEY,
    file_id     INTEGER NOT NULL REFERENCES file,
    byte_offset INTEGER NOT NULL,
    session_id  INTEGER NOT NULL REFERENCES session,
    kind        TEXT NOT NULL,
    size_bytes  INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE compaction (
    -- The history was replaced by a summary, or thinned in place.
    uuid         TEXT PRIMARY KEY,
    file_id      INTEGER NOT NULL REFERENCES file,
    byte_offset  INTEGER NOT NULL,
    session_id   INTEGER NOT NULL REFERENCES session,
    kind         TEXT NOT NULL,     -- compact or microcompact
    trigger      TEXT NOT NULL,     -- manual, auto or unknown
    pre_tokens   INTEGER,           -- context before, as the client reported it
    post_tokens  INTEGER,
    saved_tokens INTEGER,
    at_ms        INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE rollup_stale (
    -- UTC hours whose rollup rows are out of date; `usage_hour` reads these from `response`.
    hour INTEGER PRIMARY KEY
);

CREATE TABLE rollup (
    -- Sums per UTC hour (hours since 1970) and everything that decides a price.
    hour                  INTEGER NOT NULL,
    agent                 TEXT NOT NULL,
    project_id            INTEGER,
    model_id              INTEGER NOT NULL,
    speed                 INTEGER NOT NULL,
    service_tier          INTEGER NOT NULL,
    prompt_bucket         INTEGER NOT NULL,  -- largest price threshold below the prompt, or 0
    requests              INTEGER NOT NULL,  -- responses with known usage
    unknown_requests      INTEGER NOT NULL,  -- responses without
    low_confidence_tokens INTEGER NOT NULL,  -- output of responses that have no stop reason
    input_tokens          INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    web_search_requests   INTEGER NOT NULL
);
CREATE INDEX rollup_hour ON rollup (hour);
"""

PIECE_TABLES = """
CREATE TABLE measured_file (
    -- A transcript whose pieces have been counted; while it is there they can be counted again.
    file_id        INTEGER PRIMARY KEY REFERENCES file,
    measured_bytes INTEGER NOT NULL,  -- how far
    size_bytes     INTEGER NOT NULL,  -- of the file then, and its mtime: nothing is opened while
    mtime_ns       INTEGER NOT NULL,  --   both stay
    head_sum       INTEGER NOT NULL,  -- CRC-32 of the first and of the last 4,096 bytes
    tail_sum       INTEGER NOT NULL,  --   before measured_bytes
    counter        TEXT NOT NULL      -- vocabulary and rules that counted them
);

CREATE TABLE piece (
    -- A piece of the windows of a transcript's requests, or an event that changes what is in them.
    file_id     INTEGER NOT NULL REFERENCES file,
    byte_offset INTEGER NOT NULL,  -- of its line
    position    INTEGER NOT NULL,  -- in the line
    thread      TEXT NOT NULL,     -- '' the main thread, else the subagent
    kind        TEXT NOT NULL,     -- prompt, text, tool_result, memory_file, ...
    name        TEXT NOT NULL,     -- the tool, skill, memory file or kind of reminder
    target      TEXT NOT NULL,     -- the path it acts on, or its MCP server
    link        TEXT NOT NULL,     -- key of the response that wrote it, or id of the tool call
    size_bytes  INTEGER NOT NULL,
    bpe_tokens  INTEGER NOT NULL,  -- by the public vocabulary; the rest are bytes by kind of
    lower_bytes INTEGER NOT NULL,  --   character, from which calibration corrects it
    upper_bytes INTEGER NOT NULL,
    digit_bytes INTEGER NOT NULL,
    space_bytes INTEGER NOT NULL,
    line_bytes  INTEGER NOT NULL,
    sign_bytes  INTEGER NOT NULL,
    high_bytes  INTEGER NOT NULL,
    PRIMARY KEY (file_id, byte_offset, position)
) WITHOUT ROWID;

CREATE TABLE calibration (
    -- How a model counts, learnt from the measured files.
    model          TEXT PRIMARY KEY,  -- or the name of a generation of models
    steps          INTEGER NOT NULL,  -- pairs of requests that it was learnt from
    sessions       INTEGER NOT NULL,
    median_error   REAL,              -- relative, of steps that were held out; NULL: none were
    p90_error      REAL NOT NULL,
    p90_text_error REAL NOT NULL,     -- the same, of the new text alone where it explains the step
    unexplained    REAL NOT NULL,     -- share of steps that visible text does not explain
    weights        TEXT NOT NULL,     -- JSON object: tokens per unit of each feature
    made_at_ms     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE window_snapshot (
    -- The last answer about a thread's window: true as long as `made_of` is what it was made of.
    file_id INTEGER NOT NULL REFERENCES file,
    thread  TEXT NOT NULL,
    made_of TEXT NOT NULL,
    body    TEXT NOT NULL,  -- JSON
    PRIMARY KEY (file_id, thread)
) WITHOUT ROWID;
"""

REPORT_TABLES = """
CREATE TABLE limit_sample (
    -- What the agent reported of a usage limit; never guessed from counts.
    name         TEXT NOT NULL,     -- five_hour, seven_day
    at_ms        INTEGER NOT NULL,  -- when it said so
    used_share   REAL NOT NULL,     -- 0 to 1, in whole percents
    resets_at_ms INTEGER NOT NULL,  -- when the limit begins anew
    PRIMARY KEY (name, at_ms)
) WITHOUT ROWID;

CREATE TABLE told_window (
    -- The size of a session's window as the agent reported it last.
    session       TEXT PRIMARY KEY,  -- the agent's own id
    at_ms         INTEGER NOT NULL,  -- when it said so
    window_tokens INTEGER NOT NULL   -- the whole window, with what is kept free
) WITHOUT ROWID;
"""

SESSION_INDEXES = """
CREATE INDEX response_session ON response (session_id, started_at_ms);
CREATE INDEX file_session ON file (session);
"""
"""What a live view asks at every tick, in a ledger of a million requests as well."""

STUDY_TABLES = """
CREATE TABLE study (
    -- What a transcript spent, and on what: true as long as `made_of` is what it was made of.
    file_id INTEGER PRIMARY KEY REFERENCES file,
    made_of TEXT NOT NULL,  -- everything that it depends on
    body    BLOB NOT NULL   -- MessagePack of `analysis.study.FileStudy`, one for each session
);
"""

SUMS = (
    "requests",
    "unknown_requests",
    "low_confidence_tokens",
    "input_tokens",
    "output_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "web_search_requests",
)
"""The summed columns of `rollup`, in order."""


def usage_rows_sql(thresholds: tuple[int, ...], only_stale_hours: bool = False) -> str:
    """Every attempt of every response as one row, with the columns of `rollup`.

    `thresholds` are the prompt sizes at which some price changes: a prompt above a threshold pays
    the price of that tier for all its tokens (docs/prices.md).
    """
    source = "response r"
    if only_stale_hours:  # CROSS JOIN keeps this order: one index range per stale hour
        source = f"""rollup_stale s CROSS JOIN response r
             ON r.started_at_ms >= s.hour * {MILLISECONDS_PER_HOUR}
            AND r.started_at_ms < (s.hour + 1) * {MILLISECONDS_PER_HOUR}"""
    return f"""
    SELECT r.started_at_ms, r.session_id, f.agent, f.project_id, r.model_id, r.speed,
           r.service_tier,
           {_bucket_sql("r", thresholds)} AS prompt_bucket,
           r.input_tokens IS NOT NULL AS requests,
           r.input_tokens IS NULL AS unknown_requests,
           iif(r.has_stop_reason, 0, ifnull(r.output_tokens, 0)) AS low_confidence_tokens,
           ifnull(r.input_tokens, 0) AS input_tokens,
           ifnull(r.output_tokens, 0) AS output_tokens,
           ifnull(r.cache_write_5m_tokens, 0) AS cache_write_5m_tokens,
           ifnull(r.cache_write_1h_tokens, 0) AS cache_write_1h_tokens,
           ifnull(r.cache_read_tokens, 0) AS cache_read_tokens,
           r.web_search_requests
    FROM {source} JOIN file f ON f.id = r.file_id
    UNION ALL
    SELECT r.started_at_ms, r.session_id, f.agent, f.project_id, i.model_id, r.speed,
           r.service_tier,
           {_bucket_sql("i", thresholds)}, 0, 0, 0, i.input_tokens, i.output_tokens,
           i.cache_write_5m_tokens, i.cache_write_1h_tokens, i.cache_read_tokens, 0
    FROM {source} JOIN response_iteration i ON i.response_id = r.id JOIN file f ON f.id = r.file_id
    """


def _bucket_sql(row: str, thresholds: tuple[int, ...]) -> str:
    if not thresholds:
        return "0"
    prompt = (
        f"({row}.input_tokens + {row}.cache_write_5m_tokens + {row}.cache_write_1h_tokens"
        f" + {row}.cache_read_tokens)"
    )
    steps = " ".join(f"WHEN {prompt} > {t} THEN {t}" for t in sorted(thresholds, reverse=True))
    return f"CASE {steps} ELSE 0 END"
