"""Starts workers of the sandbox, through the script that takes away what they do not need."""

from __future__ import annotations

import asyncio
from importlib import import_module

from tokenbudget.gateway.mcp.sandbox_launcher import launcher, strength
from tokenbudget.gateway.mcp.sandbox_session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pydantic_monty import ResourceLimits

    from tokenbudget.gateway.mcp.sandbox_values import Limits

_CHECKOUT_SECONDS = 10.0
_GRACE_SECONDS = 1.0
"""After its limit the worker ends a run by itself; this much later it is killed."""
_SUSPENSIONS = 1_000_000_000
"""Of a whole session; those of one run are counted by the session."""
_RECURSION = 400


class SandboxMissing(Exception):
    """No worker can be started here."""


async def started(folder: str, limits: Limits, state: bytes | None, feeds: int) -> Session:
    """A new worker, with the variables of a state where there is one.

    Raises:
        SandboxMissing: it cannot be started.
        SessionLost: the state cannot be read back.
    """
    try:
        await asyncio.to_thread(import_module, "pydantic_monty")  # 65 ms at the first time
    except ImportError as error:
        raise SandboxMissing("running code needs: pip install 'tokenbudget[mcp]'") from error
    begun = await _begun_somehow(launcher(folder, monty_program(), limits), limits)
    if state is None:
        return begun
    try:
        await begun.load(state, feeds)
    except BaseException:
        await begun.end()
        raise
    return begun


async def _begun_somehow(script: str | None, limits: Limits) -> Session:
    """Through the script; without it where the script cannot run, as on a disk without programs."""
    try:
        return await _begun(script, limits)
    except SandboxMissing:
        if script is None:
            raise
        return await _begun(None, limits)


async def _begun(script: str | None, limits: Limits) -> Session:
    from pydantic_monty import AsyncMonty, MontyError

    pool = AsyncMonty(
        binary_path=script,
        min_processes=0,
        max_processes=1,
        checkout_timeout=_CHECKOUT_SECONDS,
        feed_duration_limit_grace=_GRACE_SECONDS,
    )
    await pool.__aenter__()
    try:
        session = pool.checkout(limits=_monty_limits(limits), os_policy={"sleep": "zero"})
        await session.__aenter__()
        return Session(pool, session, limits)
    except (MontyError, OSError, RuntimeError, TimeoutError) as error:
        await pool.__aexit__(None, None, None)
        raise SandboxMissing(f"the sandbox cannot be started: {error}") from error


def strength_here(folder: str, limits: Limits) -> tuple[str, ...]:
    """What would hold a worker that is started now; nothing where none can be."""
    try:
        import_module("pydantic_monty")
        return strength(launcher(folder, monty_program(), limits))
    except (ImportError, SandboxMissing):
        return ()


def monty_program() -> str:
    """Where the worker's program is. Raises SandboxMissing."""
    from pydantic_monty._binary import find_monty_binary

    try:
        return find_monty_binary()
    except FileNotFoundError as error:
        raise SandboxMissing(
            "the program of pydantic-monty is not there: install it anew"
        ) from error


def _monty_limits(limits: Limits) -> ResourceLimits:
    return {
        "max_memory": limits.memory_mb * 1_000_000,
        "max_feed_duration_secs": limits.run_seconds,
        "max_recursion_depth": _RECURSION,
        "max_suspensions": _SUSPENSIONS,
        "max_total_sleep_secs": 1.0,
    }
