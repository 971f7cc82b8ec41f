"""What goes through, what asks and what is refused; hints of servers only ever make it stricter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.rules import Rules, is_destructive
from tokenbudget.gateway.mcp.values import Tool

READ_ONLY = {"readOnlyHint": True}


def tool(name: str, server: str = "gitlab", **annotations: object) -> Tool:
    return Tool(server, name, "", "", {}, None, annotations)


@pytest.mark.parametrize(
    "name",
    [
        "delete_issue", "deleteIssue", "API-delete-a-block", "sql_db_delete", "erase_pipeline_job",
        "merge_pull_request", "merge_merge_request", "firewall-remove-droplets", "git_reset",
        "image-action-transfer", "uninstall_helm_chart", "revokeToken", "drop_table", "force_push",
        "delete_list", "drop_view", "delete_view", "remove_check", "deleteQuery", "view_delete",
        "find_one_and_delete", "get_and_delete", "search_and_merge", "merge_list", "rm", "prune",
        "list_then_reset",
    ],
)  # fmt: skip
def test_a_name_that_says_it_destroys_is_believed(name: str) -> None:
    assert is_destructive(tool(name))


@pytest.mark.parametrize(
    "name",
    [
        "create_merge_request", "list_merge_requests", "get_merge_request", "list_deleted_files",
        "droplet-create", "approve_merge_request", "search_force_users", "issues_list_removed",
        "get_reset_token", "create_issue", "browser_snapshot", "git_merge_base", "update_page",
    ],
)  # fmt: skip
def test_a_name_that_only_sounds_like_it_is_not(name: str) -> None:
    assert not is_destructive(tool(name))


def test_a_hint_makes_stricter_and_laxer_only_where_the_name_is_in_doubt() -> None:
    assert is_destructive(tool("write_file", destructiveHint=True))
    assert is_destructive(tool("get_all", destructiveHint=True, readOnlyHint=True))
    assert not is_destructive(tool("merge_tables", readOnlyHint=True))
    assert is_destructive(tool("delete_all", readOnlyHint=True))
    assert is_destructive(tool("remove_x", destructiveHint=False))
    assert not is_destructive(tool("write_file", destructiveHint="yes"))


def test_deny_wins_over_ask_over_allow_however_special_each_is() -> None:
    rules = Rules(allow=("gitlab.delete_issue",), ask=("gitlab.delete_*",), deny=())
    assert rules.verdict(tool("delete_issue")) == "ask"
    assert rules._replace(deny=("git*.*",)).verdict(tool("delete_issue")) == "deny"
    assert rules._replace(ask=()).verdict(tool("delete_issue")) == "allow"
    assert rules._replace(ask=()).verdict(tool("delete_page")) == "ask"


@pytest.mark.parametrize(
    "glob",
    ["GitLab.Delete_Issue", "gitlab.*", "*.deleteIssue", "*", "gitlab.delete?issue", "*.delete*"],
)
def test_a_rule_names_a_tool_in_any_of_its_spellings(glob: str) -> None:
    assert Rules(deny=(glob,)).verdict(tool("deleteIssue")) == "deny"


@pytest.mark.parametrize(
    "glob",
    ["mcp__gitlab__deleteIssue", "mcp__gitlab__*", "mcp__gitlab", "gitlab/deleteIssue", "gitlab",
     "gitlab_delete_issue", "gitlab_delete_*"],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["", ".*"])  # which the settings add to a word without a dot
def test_a_refusal_is_not_lost_for_its_spelling(glob: str, ending: str) -> None:
    one = tool("deleteIssue")
    assert Rules(deny=(f"{glob}{ending}",)).verdict(one) == "deny"
    assert Rules(ask=(f"{glob}{ending}",), allow=("*",)).verdict(one) == "ask"


def test_a_server_whose_name_has_a_dot_is_denied_by_it() -> None:
    assert Rules(deny=("github.com",)).verdict(tool("x", "github.com")) == "deny"


def test_what_is_allowed_has_to_be_named_exactly() -> None:
    """Two tools can have one flat spelling, and another server must not profit from it."""
    rules = Rules(allow=("git_hub_delete_x", "git_hub_delete_x.*", "git.delete_x"))
    assert rules.verdict(tool("hub_delete_x", "git")) == "ask"
    assert rules.verdict(tool("delete_x", "git_hub")) == "ask"
    assert rules.verdict(tool("delete_x", "git")) == "allow"


@pytest.mark.parametrize(
    ("glob", "denied"),
    [("github.*", True), ("github", True), ("*", True), ("mcp__github", True), ("git*.*", True),
     ("github.delete_*", False), ("*.delete_x", False), ("gitlab.*", False),
     ("github_delete.*", False)],
)  # fmt: skip
def test_a_server_is_denied_whole_or_not(glob: str, denied: bool) -> None:
    assert Rules(deny=(glob,)).denies_all_of("github") is denied


def test_a_rule_for_another_server_is_not_meant() -> None:
    rules = Rules(deny=("jira.*", "gitla", "lab.*", "gitlab_mcp", "list_issues"))
    assert rules.verdict(tool("list_issues")) == "allow"


@given(name=st.text(max_size=60), server=st.text(max_size=20), glob=st.text(max_size=30))
def test_any_name_and_any_glob_has_a_verdict_and_deny_all_denies_all(
    name: str, server: str, glob: str
) -> None:
    one = tool(name, server)
    assert Rules(allow=(glob,), ask=(glob,)).verdict(one) in ("allow", "ask")
    assert Rules(allow=("*",), ask=("*",), deny=("*",)).verdict(one) == "deny"
    assert Rules(allow=("*",)).verdict(one) == "allow"
