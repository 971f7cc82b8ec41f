"""The types of subagents."""

from tests.analysis.profile_builders import study, thread

from tokenbudget.analysis.study_agents import agent_types


def test_a_subagents_type_is_its_own_word_or_its_callers() -> None:
    called = (("a7", "Explore"), ("a8", ""), ("a9", "Explore"))
    main = thread()._replace(agents=called)
    own = thread(name="a9")._replace(agent_type="reviewer")
    first, second = study(own), study(main)
    session = first.session

    assert agent_types([first, second]) == {
        (session, "a7"): "Explore",
        (session, "a9"): "reviewer",
    }
