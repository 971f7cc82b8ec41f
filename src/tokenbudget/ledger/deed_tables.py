"""The tables of what the product itself decided and did: no transcript tells it again.

A part of the contract of `schema`; a rebuild of the ledger keeps these rows, a salvage saves them.
"""

from __future__ import annotations

ALERT_TABLES = """
CREATE TABLE alert_state (
    -- What the alerts remember between two evaluations: one row at most.
    id    INTEGER PRIMARY KEY CHECK (id = 1),  -- always 1
    state TEXT NOT NULL                        -- JSON; damaged or of another format it is as lost
);

CREATE TABLE alert_claim (
    -- The latest decision about an alert: whoever set its version here has made it, nobody else.
    fingerprint TEXT PRIMARY KEY,  -- rule, scope, whose, and window
    version     INTEGER NOT NULL   -- only grows; a lost state goes on from the highest
) WITHOUT ROWID;

CREATE TABLE alert_outbox (
    -- A message for one channel, from its decision until a month after it was sent or given up.
    id           INTEGER PRIMARY KEY,   -- in the order of the decisions
    key          TEXT NOT NULL UNIQUE,  -- of decision and channel: what a receiver dedupes by
    entry        TEXT NOT NULL,         -- JSON object: channel, rule, title, body, ...
    due_ms       INTEGER,               -- not to be tried before; 0 at once, NULL never again
    rounds       INTEGER NOT NULL,      -- of attempts that failed
    is_sent      INTEGER NOT NULL,      -- 1: it was delivered
    closed_at_ms INTEGER                -- when it was sent or given up; NULL: it waits
);
CREATE INDEX alert_outbox_closed ON alert_outbox (closed_at_ms);

CREATE TABLE alert_history (
    -- Decisions, also what was withheld, and deliveries, of three months.
    id          INTEGER PRIMARY KEY,  -- in the order of writing, whatever the clock said
    at_ms       INTEGER NOT NULL,
    rule_id     TEXT NOT NULL,        -- '' for a digest or a test
    fingerprint TEXT NOT NULL,        -- as in `alert_claim`
    event       TEXT NOT NULL,        -- fire, escalate, repeat, resolve, digest, sent, failed
    detail      TEXT NOT NULL         -- one sentence
);
CREATE INDEX alert_history_time ON alert_history (at_ms);
"""

JOURNAL_TABLES = """
CREATE TABLE action (
    -- One run of a verb that changed, or was about to change, a person's files; never removed.
    id           INTEGER PRIMARY KEY,          -- in the order of writing; `tokens undo ID`
    at_ms        INTEGER NOT NULL,
    cause        TEXT NOT NULL,                -- the command: 'tokens compact'
    project      NOT NULL,                     -- the project's folder, or ''; BLOB if not UTF-8
    freed_tokens INTEGER,                      -- per request, as predicted; NULL: unknown
    freed_bytes  INTEGER NOT NULL,             -- on disk, as predicted
    undone_at_ms INTEGER,                      -- when all of it was taken back
    undoes       INTEGER REFERENCES action     -- the action that this one takes back; NULL: none
);

CREATE TABLE action_step (
    -- One change of an action: written before it is made, its outcome after.
    id        INTEGER PRIMARY KEY,
    action_id INTEGER NOT NULL REFERENCES action,
    number    INTEGER NOT NULL,  -- its place in the action, from 0
    step      TEXT NOT NULL,     -- JSON object: kind and all that doing it needs
    state     TEXT NOT NULL,     -- planned, done, unchanged, failed, undone, conflict
    message   TEXT NOT NULL,     -- one sentence, or ''
    result    TEXT NOT NULL,     -- JSON object: what taking it back needs
    UNIQUE (action_id, number)
);

CREATE TABLE archived_session (
    -- A session in an archive file: an index only, the manifests beside the archives are the truth.
    id               INTEGER PRIMARY KEY,
    session          TEXT NOT NULL,     -- the agent's own id
    folder           NOT NULL,          -- of the archive; BLOB where the name is not UTF-8
    archive_file     TEXT NOT NULL,     -- its name in there
    archived_at_ms   INTEGER NOT NULL,
    last_activity_ms INTEGER NOT NULL,  -- when the session's files were last written
    raw_bytes        INTEGER NOT NULL,  -- of the session's files
    size_bytes       INTEGER NOT NULL,  -- of the archive file, or of this session's part of it
    UNIQUE (session, folder, archive_file)
);

CREATE TABLE archived_file (
    -- A file of an archived session, and where it was before.
    id          INTEGER PRIMARY KEY,
    archived_id INTEGER NOT NULL REFERENCES archived_session,
    name        NOT NULL,  -- inside the archive; BLOB where it is not UTF-8
    path        NOT NULL   -- its original place; BLOB where it is not UTF-8
);
CREATE INDEX archived_file_session ON archived_file (archived_id);
CREATE INDEX archived_file_path ON archived_file (path);
"""

FIX_TABLES = """
CREATE TABLE applied_fix (
    -- A fix of `tokens optimize` that was applied: what was foretold of it, and from what.
    action_id              INTEGER PRIMARY KEY REFERENCES action,
    finding                TEXT NOT NULL,     -- its id: 're-read/a1b2c3'
    drain                  TEXT NOT NULL,     -- 're-read'
    subject                NOT NULL,          -- a path, a server, ... ; BLOB if not UTF-8
    project                NOT NULL,          -- as the transcripts name it; BLOB if not UTF-8
    weekly_tokens          INTEGER NOT NULL,  -- foretold to be saved
    weekly_error_tokens    INTEGER NOT NULL,
    weekly_micro_usd       INTEGER,           -- millionths of a dollar; NULL: without a price
    weekly_error_micro_usd INTEGER,
    period_days            INTEGER NOT NULL,  -- up to when it was applied, and in these days:
    period_requests        INTEGER NOT NULL,  --   the project's requests
    period_sent_tokens     INTEGER NOT NULL,  --   what the drain took of them
    freed_tokens           INTEGER            -- per request (a line for the agent: added, not
                                              --   freed); NULL where it is not one size
);
"""

CONTROL_TABLES = """
CREATE TABLE control_state (
    -- What the controller remembers of a session between two ticks.
    session TEXT PRIMARY KEY,  -- the agent's own id
    at_ms   INTEGER NOT NULL,  -- when it was kept
    state   TEXT NOT NULL      -- of `optimizer.state_text`; unreadable it is as none
) WITHOUT ROWID;

CREATE TABLE control_decision (
    -- What the controller decided, of three months: each only once while it stays the same.
    id          INTEGER PRIMARY KEY,  -- in the order of writing, whatever the clock said
    at_ms       INTEGER NOT NULL,     -- when it was first come to
    session     TEXT NOT NULL,        -- the agent's own id
    project     NOT NULL,             -- its folder, or ''; BLOB where the name is not UTF-8
    kind        TEXT NOT NULL,        -- act, advise, mark, wait, restore
    level       TEXT NOT NULL,        -- of health, by the usable window
    code        TEXT NOT NULL,        -- why, as a word: grace, cooldown, stale, ...
    reason      TEXT NOT NULL,        -- why, in one sentence
    lever       TEXT NOT NULL,        -- or ''
    items       TEXT NOT NULL,        -- JSON list of ids
    prediction  TEXT,                 -- JSON object; NULL: nothing is foretold
    next        TEXT NOT NULL,        -- what comes next, in one clause, or ''
    request_key TEXT NOT NULL         -- of the request that it rests on
);
CREATE INDEX control_decision_session ON control_decision (session, id);
CREATE INDEX control_decision_time ON control_decision (at_ms);

CREATE TABLE control_receipt (
    -- What an action of the controller was to free, and what it freed; never removed.
    id               INTEGER PRIMARY KEY,
    session          TEXT NOT NULL,              -- the agent's own id
    project          NOT NULL,                   -- BLOB where the name is not UTF-8
    at_ms            INTEGER NOT NULL,           -- when it was decided; the action came after
    lever            TEXT NOT NULL,              -- that was pulled: history, skills, ...
    items            TEXT NOT NULL,              -- JSON list of ids
    level            TEXT NOT NULL,              -- of health, when it was decided
    action           INTEGER REFERENCES action,  -- NULL: not begun yet, or advice
    predicted_tokens INTEGER NOT NULL,           -- of every later request
    predicted_usd    REAL,                       -- NULL: unknown; below 0 it costs
    effect           TEXT NOT NULL,              -- now, next compaction, next start, disk only
    before_tokens    INTEGER NOT NULL,           -- of the window, at the request before it
    request_key      TEXT NOT NULL,              -- of that request
    measured_tokens  INTEGER,                    -- NULL: not seen yet, or never; below 0: added
    measured_usd     REAL,                       -- the same in money; NULL: unknown
    settled_at_ms    INTEGER,                    -- NULL: it is open
    outcome          TEXT NOT NULL               -- '' while open, measured, unmeasured, ...
);
CREATE INDEX control_receipt_session ON control_receipt (session, id);
CREATE INDEX control_receipt_time ON control_receipt (at_ms);
CREATE INDEX control_receipt_open ON control_receipt (id) WHERE settled_at_ms IS NULL;
"""
