"""Servers that hang, flood, lie, break down: each call ends, in a short and true sentence."""

from __future__ import annotations

import asyncio
import os
import resource
import stat
import sys
from pathlib import Path

import pytest
from tests.gateway.mcp.hubs import QUICK, configs, fault, hub_over, is_running, run, tool, until

from tokenbudget.gateway.mcp.hub import MOST_STARTING
from tokenbudget.gateway.mcp.hub_values import HubLimits
from tokenbudget.gateway.mcp.server_config import configs_from
from tokenbudget.gateway.mcp.values import Answer, CallFailed

SHORT = QUICK._replace(start_seconds=1.0, call_seconds=0.3)


def called(folder: Path, name: str, limits: HubLimits = QUICK) -> Answer:
    """The answer of a server with this fault."""

    async def work() -> Answer:
        async with hub_over(folder, configs(folder, name), limits) as case:
            return await case.hub.call(tool(name), {})

    return run(work)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mute", 'mute was not ready within 1 seconds; its last words: "thinking about it"'),
        ("version", 'version speaks version "1999-01-01" of the protocol, which is not known'),
        ("dead", 'dead ended with exit code 7; its last words: "no configuration"'),
        ("die", 'die ended with exit code 3; its last words: "out of cheese"'),
        ("hang", "hang did not answer tools/call within 0.3 seconds"),
        ("wrongid", "wrongid did not answer tools/call within 0.3 seconds"),
        ("nocontent", "nocontent: go answered without content, so it cannot be read"),
        ("noresult", "noresult answered with something that is no result"),
        ("notools", "notools answered with something that is no result"),
        ("error", 'error says: "no[2J such thing"'),
        ("deep", "deep: the answer is no JSON that can be read"),
    ],
)
def test_a_fault_is_one_true_sentence(tmp_path: Path, name: str, said: str) -> None:
    is_silent = name in ("mute", "hang", "wrongid")
    with pytest.raises(CallFailed) as failure:
        called(tmp_path, name, SHORT if is_silent else QUICK)
    assert str(failure.value) == said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("noise", "{}"),
        ("schema", "{}"),
        ("tools", "{}"),
        ("textid", "ok"),
        ("twice", "first"),
        ("lie", "ok"),
        ("surrogate", "\ud800�"),
        ("asksmuch", "ok"),
    ],
)
def test_what_can_be_understood_is(tmp_path: Path, name: str, text: str) -> None:
    assert called(tmp_path, name).content[0] == {"type": "text", "text": text}


def test_an_answer_of_an_unknown_kind_is_given_on(tmp_path: Path) -> None:
    assert called(tmp_path, "weird").content == [{"type": "hologram", "x": 1}]


def test_a_number_that_no_json_holds_becomes_null(tmp_path: Path) -> None:
    assert called(tmp_path, "surrogate").structured == {"n": None}


@pytest.mark.parametrize("name", ["schema", "tools"])
def test_one_bad_tool_does_not_cost_the_others(tmp_path: Path, name: str) -> None:
    async def work() -> list[str]:
        async with hub_over(tmp_path, configs(tmp_path, name)) as case:
            return [one.name for one in (await case.hub.catalogue(name)).tools]

    assert run(work) == ["go"]


def test_pages_without_end_are_given_up(tmp_path: Path) -> None:
    async def work() -> int:
        async with hub_over(tmp_path, configs(tmp_path, "pages")) as case:
            return len((await case.hub.catalogue("pages")).tools)

    assert run(work) == 100


def test_fifty_megabytes_are_refused_in_bounded_memory_and_the_server_goes_on(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        limits = QUICK._replace(message_bytes=1_000_000, call_seconds=20)
        async with hub_over(tmp_path, configs(tmp_path, "big"), limits) as case:
            await case.hub.catalogue("big")
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for _ in range(2):
                with pytest.raises(
                    CallFailed, match=r"50,000,\d\d\d bytes, 1,000,000 are taken: ask for less"
                ):
                    await case.hub.call(tool("big"), {})
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            assert (after - before) * (1 if sys.platform == "darwin" else 1024) < 20_000_000
            assert len(case.pids()) == 1

    run(work)


@pytest.mark.parametrize("name", ["flood", "junk"])
def test_a_flood_ends_the_server_and_not_us(tmp_path: Path, name: str) -> None:
    async def work() -> None:
        limits = QUICK._replace(message_bytes=100_000)
        async with hub_over(tmp_path, configs(tmp_path, name), limits) as case:
            with pytest.raises(CallFailed, match="flooded its output with what is no message"):
                await case.hub.call(tool(name), {})
            await until(lambda: not any(map(is_running, case.pids())))

    run(work)


def test_a_server_that_talks_without_pause_is_heard_in_part(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "chatty")) as case:
            await case.hub.call(tool("chatty"), {})
            assert 50 <= len(case.client.told) <= 500
            assert case.client.told[0][:2] == ("chatty", "notifications/message")

    run(work)


def test_a_server_that_asks_without_pause_is_told_to_wait(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "asksmuch")) as case:
            case.client.gate.clear()
            await case.hub.call(tool("asksmuch"), {})
            assert len(case.client.asked) <= 16

    run(work)


def test_a_call_that_times_out_is_cancelled_and_the_server_stays(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "hang"), SHORT) as case:
            with pytest.raises(CallFailed):
                await case.hub.call(tool("hang"), {})
            await until(lambda: '"reason": "timed out"' in case.log())
            assert case.hub.states() == {"hang": "running"}

    run(work)


def test_the_timeout_of_a_server_is_its_own(tmp_path: Path) -> None:
    (config,) = configs(tmp_path, "hang")

    async def work() -> None:
        async with hub_over(tmp_path, (config._replace(call_seconds=0.25),)) as case:
            with pytest.raises(CallFailed, match=r"within 0\.25 seconds"):
                await case.hub.call(tool("hang"), {})

    run(work)


def test_a_server_that_breaks_down_is_started_again_at_first_at_once_and_then_later(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "die")) as case:
            call = tool("die")
            for _ in range(2):
                with pytest.raises(
                    CallFailed, match=r'exit code 3; its last words: "out of cheese"$'
                ):
                    await case.hub.call(call, {})
            with pytest.raises(CallFailed, match="it is tried again in 1 seconds"):
                await case.hub.call(call, {})
            assert len(case.pids()) == 2
            case.clock.now += 1.1
            with pytest.raises(CallFailed, match=r'"out of cheese"$'):
                await case.hub.call(call, {})
            with pytest.raises(CallFailed, match="it is tried again in 2 seconds"):
                await case.hub.call(call, {})
            assert len(case.pids()) == 3

    run(work)


def test_a_server_that_ran_for_a_while_is_started_again_at_once(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "die")) as case:
            for _ in range(4):
                await case.hub.catalogue("die", fresh=True)
                case.clock.now += 61
                with pytest.raises(CallFailed, match=r'"out of cheese"$'):
                    await case.hub.call(tool("die"), {})
            assert len(case.pids()) == 4

    run(work)


def test_one_server_that_cannot_start_does_not_cost_the_others(tmp_path: Path) -> None:
    bad = configs_from({"mcpServers": {"gone": {"command": "/no/such/program"}, "odd": 7}})

    async def work() -> None:
        async with hub_over(tmp_path, (*configs(tmp_path, "fine"), *bad)) as case:
            assert [one.server for one in await case.hub.catalogues()] == ["fine"]
            states = case.hub.states()
            assert states["gone"] == (
                "gone cannot be started: /no/such/program: No such file or directory"
            )
            assert states["odd"] == "the entry of odd is no object"
            with pytest.raises(CallFailed, match="the entry of odd is no object"):
                await case.hub.call(tool("odd"), {})

    run(work)


def test_a_variable_that_is_not_set_is_named_when_a_server_does_not_start(tmp_path: Path) -> None:
    entry = {
        "command": sys.executable,
        "args": ["-IS", "-c", "raise SystemExit(1)", "${NOT_THERE}"],
    }
    servers = configs_from({"mcpServers": {"x": entry}})

    async def work() -> None:
        async with hub_over(tmp_path, servers) as case:
            with pytest.raises(CallFailed, match="x ended with exit code 1; not set: NOT_THERE"):
                await case.hub.call(tool("x"), {})

    run(work)


def test_what_servers_write_beside_is_kept_for_the_person_alone(tmp_path: Path) -> None:
    with pytest.raises(CallFailed):
        called(tmp_path, "die")
    (log,) = (tmp_path / "logs").glob("*.log")
    assert log.read_text() == "out of cheese\n"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700


def test_the_log_of_a_server_does_not_grow(tmp_path: Path) -> None:
    code = (
        "import sys\nfor _ in range(200): sys.stderr.write('x' * 9_999 + '\\n')\nsys.stdin.read()"
    )
    servers = configs_from({"mcpServers": {"x": {"command": sys.executable, "args": ["-c", code]}}})

    async def work() -> None:
        limits = QUICK._replace(start_seconds=1, log_bytes=100_000)
        async with hub_over(tmp_path, servers, limits) as case:
            with pytest.raises(CallFailed, match="was not ready"):
                await case.hub.catalogue("x")
        sizes = [path.stat().st_size for path in (tmp_path / "logs").iterdir()]
        assert len(sizes) == 2
        assert 0 < sum(sizes) <= 100_000

    run(work)


def test_a_server_that_does_not_read_holds_up_its_own_calls_alone(tmp_path: Path) -> None:
    async def work() -> None:
        limits = QUICK._replace(message_bytes=1_000_000)
        async with hub_over(tmp_path, configs(tmp_path, "fine", "flood"), limits) as case:
            await asyncio.gather(*map(case.hub.catalogue, ("fine", "flood")))
            flood = asyncio.ensure_future(case.hub.call(tool("flood"), {}))
            await asyncio.sleep(0.05)
            await case.hub.call(tool("fine"), {})
            with pytest.raises(CallFailed):
                await flood

    run(work)


def test_what_cannot_be_written_as_json_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "fine")) as case:
            for given in ({"n": float("nan")}, {"s": {1, 2}}):
                with pytest.raises(CallFailed, match="cannot be written as JSON"):
                    await case.hub.call(tool("fine"), given)
            await case.hub.call(tool("fine"), {})

    run(work)


def test_a_link_in_place_of_a_log_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    with pytest.raises(CallFailed):
        called(tmp_path, "die")
    (log,) = (tmp_path / "logs").glob("*.log")
    log.unlink()
    os.symlink(target, log)
    with pytest.raises(CallFailed):
        called(tmp_path, "die")
    assert target.read_text() == "mine"


def test_servers_start_a_few_at_a_time(tmp_path: Path) -> None:
    one = fault("fine", tmp_path)
    servers = configs_from({"mcpServers": {f"s{n}": one for n in range(9)}})

    async def work() -> None:
        async with hub_over(tmp_path, servers) as case:
            all_of_them = asyncio.ensure_future(case.hub.catalogues())
            while not all_of_them.done():
                started = len(case.pids())
                running = list(case.hub.states().values()).count("running")
                assert started - running <= MOST_STARTING + 1
                await asyncio.sleep(0.001)
            assert len(await all_of_them) == 9

    run(work)


def test_a_server_that_reads_nothing_any_more_does_not_fill_our_memory(tmp_path: Path) -> None:
    async def work() -> None:
        limits = QUICK._replace(call_seconds=0.05)
        async with hub_over(tmp_path, configs(tmp_path, "deaf"), limits) as case:
            await case.hub.catalogue("deaf")
            with pytest.raises(CallFailed, match="did not answer"):
                await case.hub.call(tool("deaf"), {})
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for _ in range(20):
                with pytest.raises(CallFailed, match="did not answer"):
                    await case.hub.call(tool("deaf"), {"text": "x" * 5_000_000})
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            assert (after - before) * (1 if sys.platform == "darwin" else 1024) < 60_000_000

    run(work)


def test_no_secret_of_a_server_is_in_its_last_words(tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.stderr.write('bad ' + os.environ['A'] + ' ' + os.environ['API_KEY'])"
    )
    entry = {
        "command": sys.executable,
        "args": ["-IS", "-c", code],
        "env": {"A": "${FROM_SHELL}", "API_KEY": "written-here"},
    }
    servers = configs_from({"mcpServers": {"x": entry}})
    environment = {"PATH": os.defpath, "FROM_SHELL": "ghp_123456"}

    async def work() -> None:
        async with hub_over(tmp_path, servers, environment=environment) as case:
            with pytest.raises(CallFailed, match='its last words: "bad … …"'):
                await case.hub.call(tool("x"), {})
            assert case.log() == "bad … …"  # no key is written to the disk

    run(work)


def test_a_program_that_is_not_there_is_named_as_it_is_written(tmp_path: Path) -> None:
    entry = {"command": "/nonexistent/${FROM_SHELL}"}
    servers = configs_from({"mcpServers": {"x": entry}})
    environment = {"PATH": os.defpath, "FROM_SHELL": "ghp_123456"}

    async def work() -> None:
        async with hub_over(tmp_path, servers, environment=environment) as case:
            with pytest.raises(CallFailed, match=r": /nonexistent/\$\{FROM_SHELL\}: No such"):
                await case.hub.call(tool("x"), {})

    run(work)
