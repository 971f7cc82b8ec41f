"""Of two copies one goes, and no words are lost."""

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.duplicated_text import cuts_by_path, whole_duplicates, without
from tokenbudget.resources.memory_loading import MemoryFile, Scope, imports_of, sent_of
from tokenbudget.resources.text_blocks import blocks_of, words_of

LONG = (
    "This rule has so many words that its repetition in a request is worth a thought. " * 3
    + "Indeed."
)
OTHER = (
    "Another rule that nobody repeats, but which is long enough to be one of its own. " * 3
    + "Indeed."
)


def file(path: str, text: str, scope: Scope = "project") -> MemoryFile:
    sent = sent_of(text)
    return MemoryFile(path, scope, text, sent, False, "", bool(imports_of(sent)), "")


def tokens_of(text: str) -> int:
    return len(text.split())


def kept_after(files: list[MemoryFile]) -> dict[str, str]:
    cuts = cuts_by_path(files, tokens_of)
    return {one.path: without(one.text, cuts.get(one.path, [])) for one in files}


def test_the_second_copy_in_a_file_goes() -> None:
    text = f"# T\n\n## A\n\n{LONG}\n\n## B\n\n{OTHER}\n\n## A\n\n{LONG}\n"
    assert kept_after([file("a", text)]) == {"a": f"# T\n\n## A\n\n{LONG}\n\n## B\n\n{OTHER}\n"}


def test_a_section_goes_with_its_heading_and_a_paragraph_alone() -> None:
    text = f"{LONG}\n\nshort\n\n{LONG}\n\nend\n"
    assert kept_after([file("a", text)]) == {"a": f"{LONG}\n\nshort\n\nend\n"}


def test_a_section_goes_once_with_all_that_is_in_it() -> None:
    part = f"## A\n\n{LONG}\n\n{OTHER}\n\nshort\n\n"
    text = f"# T\n\n{part}## B\n\nx\n\n{part}## C\n\ny\n"
    assert kept_after([file("a", text)]) == {"a": f"# T\n\n{part}## B\n\nx\n\n## C\n\ny\n"}
    [cut] = cuts_by_path([file("a", text)], tokens_of)["a"]
    assert (cut.title, cut.kept_in) == ("A", "a")


def test_what_is_short_may_be_said_twice() -> None:
    text = "Use pnpm.\n\nx\n\nUse pnpm.\n"
    assert kept_after([file("a", text)]) == {"a": text}


def test_a_text_of_the_team_never_goes_for_a_private_one() -> None:
    for scope in ("user", "parent"):
        files = [file("private", LONG + "\n\nx", scope), file("team", LONG + "\n\ny")]
        assert "team" not in cuts_by_path(files, tokens_of)


def test_a_local_copy_goes_for_any_other() -> None:
    for scope in ("user", "parent", "project"):
        local = file("local", LONG + "\n\nmine", "local")
        assert kept_after([local, file("other", LONG + "\n\ny", scope)])["local"] == "mine"


def test_the_same_words_below_another_heading_stay() -> None:
    text = f"# T\n\n## Back\n\n{LONG}\n\n## Front\n\n{LONG}\n"
    assert kept_after([file("a", text)]) == {"a": text}


def test_imports_comments_and_tags_stay() -> None:
    for words in (f"@more.md {LONG}", f"<!-- {LONG} -->", f"<rules>\n{LONG}\n</rules>"):
        text = f"{words}\n\nx\n\n{words}\n"
        assert kept_after([file("a", text)]) == {"a": text}


def test_whole_files_count_by_their_words_and_the_later_one_goes() -> None:
    files = [file("a", f"# T\n\n{LONG}\n"), file("b", f"# T\n{LONG}"), file("c", "other")]
    assert whole_duplicates(files) == [("b", "a")]


def test_files_that_import_or_say_nothing_are_no_copies() -> None:
    assert whole_duplicates([file("a", "@x.md"), file("b", "@x.md")]) == []
    assert whole_duplicates([file("a", ""), file("b", " \n")]) == []


PARTS = st.sampled_from(
    ["# T", "## A", "## B", "### C", LONG, OTHER, "short", "", "- a\n- b", "```\n" + LONG + "\n```"]
)
TEXTS = st.lists(PARTS, max_size=14).map("\n\n".join)
SCOPES: st.SearchStrategy[Scope] = st.sampled_from(["user", "parent", "project", "local"])


@given(st.lists(st.tuples(TEXTS, SCOPES), max_size=4))
def test_every_word_is_still_said_somewhere(given_files: list[tuple[str, Scope]]) -> None:
    files = [file(f"f{n}", text, scope) for n, (text, scope) in enumerate(given_files)]
    after = kept_after(files)
    left = {block.key for text in after.values() for block in blocks_of(text)}
    paragraphs = {block.key for one in files for block in blocks_of(one.text) if not block.level}
    assert paragraphs <= left


@given(TEXTS)
def test_what_was_cut_is_not_found_again(text: str) -> None:
    [once] = kept_after([file("a", text)]).values()
    [twice] = kept_after([file("a", once)]).values()
    assert words_of(once) == words_of(twice)
