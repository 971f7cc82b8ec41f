"""Documents and manners of writing them, for Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from settings_edits import Manner

NAMES = ("model", "env", "permissions", "allow", "deny", "hooks", "a b", 'q"', "é", "//", "")
TEXTS = (
    "Read(./x/**)",
    "Bash(rm:*)",
    "opus",
    "// no comment",
    "/* nor this */",
    "é€😀",
    'a"b\\',
    "",
)


MANNERS = st.builds(
    Manner,
    st.sampled_from(["", "  ", "    ", "\t", " "]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
PLAIN: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([0.5, 1.0, 1e21])
    | st.sampled_from(TEXTS)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
