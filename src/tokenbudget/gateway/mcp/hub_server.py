"""One server over the time of the gateway: not started, running, lost, tried again.

Started when it is first needed and once, however many ask at the same time. A server that breaks
down is started again by the next call, but not more often than it is worth; a call that was under
way is never repeated, since nobody knows what it did.
"""

from __future__ import annotations

import asyncio
import contextlib

from tokenbudget.gateway.mcp.hub_log import ServerLog
from tokenbudget.gateway.mcp.hub_peer import SessionGone
from tokenbudget.gateway.mcp.hub_session import Session
from tokenbudget.gateway.mcp.server_config import (
    ConfigRefused,
    filled_in,
    fingerprint,
    not_set,
    secrets_of,
)
from tokenbudget.gateway.mcp.values import CallFailed
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
    from tokenbudget.gateway.mcp.hub_session import Surroundings
    from tokenbudget.gateway.mcp.hub_values import Progress
    from tokenbudget.gateway.mcp.server_config import ServerConfig
    from tokenbudget.gateway.mcp.values import Catalogue
    from tokenbudget.model.protocols import Clock

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
HEALTHY_SECONDS = 60.0
"""A server that ran for this long is started again at once when it breaks down."""
STOP_PATIENCE_SECONDS = 2.0
REFRESH_SECONDS, LONGEST_REFRESH_SECONDS = 0.5, 30.0
"""Between a change of a server's tools and asking for them: several changes are one. Longer each
time where a server changes them without pause."""


class Server:
    """One server behind the gateway."""

    def __init__(
        self, config: ServerConfig, around: Surroundings, cache: CatalogueCache, clock: Clock,
        log_folder: str,
    ) -> None:  # fmt: skip
        self.config = config
        self._around = around
        self._cache = cache
        self._clock = clock
        self._log = ServerLog(log_folder, config.name, around.limits.log_bytes)
        self._session: Session | None = None
        self._starting: asyncio.Task[Session] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._refreshing: asyncio.Task[None] | None = None
        self._refreshed_at, self._refresh_pause = -LONGEST_REFRESH_SECONDS, REFRESH_SECONDS
        self._calls = asyncio.Semaphore(around.limits.most_calls)
        self._catalogue: Catalogue | None = None
        self._trouble = config.trouble
        self._failures = 0
        self._not_before = self._started_at = self._used_at = 0.0
        self._open_requests = 0
        self._log_level: Mapping[str, object] | None = None
        self._is_watched = False
        self._is_closed = False

    @property
    def state(self) -> str:
        """`stopped`, `starting`, `running` or why it cannot run."""
        if self._session is not None:
            return "running"
        return "starting" if self._starting is not None else self._trouble or "stopped"

    def known(self) -> Catalogue | None:
        """What it listed, now or when it was last started in this way."""
        if self._catalogue is None and not self.config.trouble:
            self._catalogue = self._cache.get(self.config.name, self._fingerprint())
        return self._catalogue

    async def catalogue(self, *, fresh: bool) -> Catalogue:
        """What it lists. Raises CallFailed."""
        kept = self.known()
        if kept is not None and not fresh:
            return kept
        was_running = self._session is not None
        session = await self.session()
        if was_running and fresh:
            self._keep(await session.tools())
        assert self._catalogue is not None
        return self._catalogue

    async def request(
        self, method: str, params: Mapping[str, object], progress: Progress | None = None
    ) -> dict[str, object]:
        """The result of one request. Raises CallFailed, RequestRefused."""
        self._open_requests += 1
        try:
            async with self._calls:
                result = await self._answered(method, params, progress)
        finally:
            self._open_requests -= 1
            self._used_at = self._clock.monotonic_seconds()
        if method == "logging/setLevel":
            self._log_level = dict(params)
        self._is_watched = self._is_watched or method == "resources/subscribe"
        return result

    async def _answered(
        self, method: str, params: Mapping[str, object], progress: Progress | None
    ) -> dict[str, object]:
        session = await self.session()
        try:
            return await session.request(method, params, progress)
        except SessionGone:
            self._not_before = 0.0  # it is there, and says so
            return await (await self.session()).request(method, params, progress)

    async def session(self) -> Session:
        """The running session; started where there is none. Raises CallFailed."""
        if self._session is not None:
            return self._session
        if self._starting is None:
            self._check_may_start()
            self._starting = asyncio.get_running_loop().create_task(self._start())
            self._starting.add_done_callback(self._has_started)
        starting = self._starting
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            if starting.cancelled():  # it, and not who waits for it
                raise CallFailed("the gateway is ending") from None
            raise

    def notify(self, method: str, params: Mapping[str, object]) -> None:
        """Tell it, if it runs."""
        if self._session is not None:
            self._session.peer.notify(method, params)

    async def stop_if_idle(self) -> None:
        """End it where nobody has asked it anything for long enough."""
        idle_seconds = self._around.limits.idle_seconds
        session = self._session
        if session is None or not idle_seconds or self._open_requests or self._is_watched:
            return
        if self._clock.monotonic_seconds() - self._used_at >= idle_seconds:
            self._session = None
            await session.close(STOP_PATIENCE_SECONDS)

    async def close(self, patience_seconds: float) -> None:
        """End it for good."""
        self._is_closed = True
        session, self._session = self._session, None
        for task in (self._starting, self._refreshing):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, CallFailed):
                    await task
        if session is not None:
            await session.close(patience_seconds)
        if self._ending:
            await asyncio.wait(self._ending, timeout=patience_seconds)

    def terminate(self) -> None:
        """Have it end; from any thread."""
        session = self._session
        if session is not None:
            session.terminate()

    def _check_may_start(self) -> None:
        if self._is_closed:
            raise CallFailed("the gateway is ending")
        wait_seconds = self._not_before - self._clock.monotonic_seconds()
        if wait_seconds > 0:
            raise CallFailed(f"{self._trouble}; it is tried again in {wait_seconds:.0f} seconds")

    async def _start(self) -> Session:
        environment = self._around.environment
        try:
            filled = filled_in(self.config, environment)
        except ConfigRefused as refused:
            raise CallFailed(str(refused)) from None
        self._log.begin(secrets_of(self.config, environment))
        session = Session(
            filled, self._around, self._log,
            tools_changed=self._tools_changed, lost=self._has_broken_down,
        )  # fmt: skip
        self._started_at = self._used_at = self._clock.monotonic_seconds()
        try:
            self._keep(await session.open())
            if self._log_level is not None and session.offers("logging"):
                await session.request("logging/setLevel", self._log_level)
            if session.is_lost:
                raise CallFailed(f"{one_line(self.config.name)} ended as soon as it was ready")
        except BaseException as failure:
            await asyncio.shield(session.close(0.1))
            if isinstance(failure, CallFailed):
                tried, written = (one_line(c.command[:200]) for c in (filled, self.config))
                said = str(failure).replace(f": {tried}: ", f": {written}: ")  # it may hold a key
                raise CallFailed(said + self._missing()) from None
            raise
        self._session = session
        self._trouble = ""
        return session

    def _has_started(self, starting: asyncio.Task[Session]) -> None:
        self._starting = None
        failure = None if starting.cancelled() else starting.exception()
        if isinstance(failure, CallFailed):
            self._pause(str(failure))

    def _has_broken_down(self, why: str) -> None:
        """The running session was lost."""
        session, self._session = self._session, None
        if session is None:
            return  # it was being started or ended, and whoever did that is told
        self._in_background(session.close(0.1))
        if self._clock.monotonic_seconds() - self._started_at >= HEALTHY_SECONDS:
            self._failures = 0
            self._trouble = why
            return
        self._pause(why)

    def _pause(self, why: str) -> None:
        """The first failure costs nothing, each further one a longer wait."""
        self._trouble = why
        wait = min(FIRST_PAUSE_SECONDS * 2 ** max(0, self._failures - 1), LONGEST_PAUSE_SECONDS)
        self._not_before = self._clock.monotonic_seconds() + (wait if self._failures else 0.0)
        self._failures += 1

    def _tools_changed(self) -> None:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._refresh())

    async def _refresh(self) -> None:
        now = self._clock.monotonic_seconds()
        is_calm = now - self._refreshed_at > LONGEST_REFRESH_SECONDS
        pause = REFRESH_SECONDS if is_calm else self._refresh_pause
        self._refresh_pause = min(2 * pause, LONGEST_REFRESH_SECONDS)
        self._refreshed_at = now
        await asyncio.sleep(pause)
        session = self._session
        if session is not None:
            with contextlib.suppress(CallFailed):
                self._refreshing = None  # a change from here on is another one
                self._keep(await session.tools())

    def _keep(self, catalogue: Catalogue) -> None:
        """It is what the server lists; told where it is not what was known."""
        before, self._catalogue = self.known(), catalogue
        if catalogue != before:
            self._cache.put(catalogue, self._fingerprint())
            self._around.passage.catalogue_changed(catalogue)

    def _fingerprint(self) -> str:
        return fingerprint(self.config, self._around.environment)

    def _missing(self) -> str:
        names = not_set(self.config, self._around.environment)
        return f"; not set: {', '.join(map(one_line, names[:5]))}" if names else ""

    def _in_background(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
