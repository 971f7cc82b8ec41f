"""Differences as git prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compression.accounting import HOSTILE, assert_accounted, assert_survives, drafted

from tokenbudget.compression.codecs.diffs import CODEC
from tokenbudget.compression.passage import BALANCED, COMPRESSED, LEVELS, VERBOSE


def changed(path: str, *hunks: str) -> str:
    head = (
        f"diff --git a/{path} b/{path}\nindex 83db48f..bf2a1c4 100644\n--- a/{path}\n+++ b/{path}"
    )
    return "\n".join([head, *hunks])


CODE = """\
@@ -10,7 +10,7 @@ def total(items):
     subtotal = 0
     for item in items:
         subtotal += item.price
-    return round(subtotal, 1)
+    return round(subtotal, 2)
 #
 #
 def tax(total):"""

LOCK = (
    "@@ -1,4 +1,64 @@\n {\n"
    + "\n".join(f'+    "node_modules/p{n}": {{ "version": "{n}.0.1" }},' for n in range(60))
    + '\n   "a": 1,\n   "b": 2\n }'
)

GONE = """\
diff --git a/old.py b/old.py
deleted file mode 100644
index 83db48f..0000000
--- a/old.py
+++ /dev/null
@@ -1,30 +0,0 @@
""" + "\n".join(f"-line {n} of what was removed" for n in range(30))

CART, PRICE = changed("src/cart.py", CODE), changed("src/price.py", CODE)

ALL = "\n".join([CART, PRICE, changed("package-lock.json", LOCK), GONE])


def test_headers_said_twice_are_counted() -> None:
    text = f"{CART}\n{PRICE}"
    draft = drafted(CODEC, text)
    assert draft is not None
    assert draft.text.startswith("[~ 4 header lines]\n--- a/src/cart.py\n+++ b/src/cart.py\n@@")
    assert draft.text.count("\n-    return round(subtotal, 1)\n+    return round") == 2
    assert_accounted(text, draft)


def test_lock_files_and_deleted_files_are_cut_after_their_first_lines() -> None:
    draft = drafted(CODEC, ALL)
    assert draft is not None
    assert "p4" in draft.text
    assert "p40" not in draft.text
    assert "[~ 58 lines]" in draft.text
    assert "-line 3 of what was removed\n[~ 26 lines]" in draft.text
    assert "deleted file mode 100644" in draft.text
    assert_accounted(ALL, draft)


def test_a_change_of_name_or_mode_stays() -> None:
    renamed = "diff --git a/a.py b/b.py\nsimilarity index 90%\nrename from a.py\nrename to b.py"
    text = renamed + "\nindex 83db48f..bf2a1c4 100644\n--- a/a.py\n+++ b/b.py\n" + CODE
    draft = drafted(CODEC, text)
    assert draft is not None
    assert "rename from a.py\nrename to b.py" in draft.text


@pytest.mark.parametrize(("level", "left"), [(BALANCED, 1), (COMPRESSED, 0)])
def test_context_at_the_edges_of_hunks_goes(level: str, left: int) -> None:
    draft = drafted(CODEC, ALL, level)
    assert draft is not None
    assert "context lines at hunk edges]" in draft.text
    assert draft.text.count("subtotal += item.price") == 2 * left
    assert "def tax(total):" not in draft.text
    assert_accounted(ALL, draft)


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
def test_what_stands_between_changes_stays(level: str) -> None:
    between = "-old one\n+new one\n a\n b\n c\n d\n e\n-old two\n+new two"
    hunk = f"@@ -1,13 +1,13 @@\n before\n before\n before\n{between}\n after\n after\n after"
    draft = drafted(CODEC, f"{changed('src/a.py', hunk)}\n{PRICE}", level)
    assert draft is not None
    assert between in draft.text
    assert draft.text.count("before") < 3


def test_of_a_new_file_the_beginning_stays_at_compressed() -> None:
    head = "diff --git a/new.py b/new.py\nnew file mode 100644\n--- /dev/null\n+++ b/new.py"
    text = f"{head}\n@@ -0,0 +1,60 @@\n" + "\n".join(f"+line {n} that is new" for n in range(60))
    assert drafted(CODEC, text) is None
    draft = drafted(CODEC, text, COMPRESSED)
    assert draft is not None
    assert "[~ 40 lines]" in draft.text
    assert_accounted(text, draft)


def test_a_changed_line_that_looks_like_a_header_stays() -> None:
    hunk = (
        "@@ -1,3 +1,3 @@\n--- a/list item\n+++ b/list item\n context\n-index 1..2\n"
        "+diff --git a/x b/x"
    )
    text = changed("notes.md", hunk) + "\n" + changed("src/cart.py", CODE)
    draft = drafted(CODEC, text)
    assert draft is not None
    assert hunk in draft.text  # its context stands between changes


def test_verbose_loses_nothing() -> None:
    assert drafted(CODEC, ALL, VERBOSE) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_survived(text: str) -> None:
    assert_survives(CODEC, text, LEVELS)


@given(st.lists(st.sampled_from(ALL.split("\n")), max_size=80))
def test_torn_differences_are_accounted_for(lines: list[str]) -> None:
    text = "\n".join(["diff --git a/x b/x", "@@ -1 +1 @@", *lines])
    assert_survives(CODEC, text, (BALANCED, COMPRESSED))


@given(st.lists(st.sampled_from(ALL.split("\n")), max_size=80))
def test_no_changed_line_of_an_ordinary_file_is_cut(lines: list[str]) -> None:
    body = [line for line in lines if line[:1] in ("+", "-") and "/" not in line]
    hunk = f"@@ -1,{sum(x[0] == '-' for x in body)} +1,{sum(x[0] == '+' for x in body)} @@"
    text = changed("src/x.py", "\n".join([hunk, *body])) + "\n" + changed("src/y.py", CODE)
    for level in (BALANCED, COMPRESSED):
        draft = drafted(CODEC, text, level)
        assert draft is not None
        assert "\n".join(body) in draft.text
