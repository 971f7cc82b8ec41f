"""A page in a real browser that has no network: what it said, asked for and ran."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.install_browser import axe_script, browser_path, playwright_module
from tests.hostile import MARKER

SERIOUS = ("serious", "critical")


class Visit:
    """One page, open."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.said: list[str] = []
        """Console messages that are warnings or worse, and errors nobody caught."""
        self.asked: list[str] = []
        """Addresses it asked for, itself left out: none is answered."""
        page.on("console", lambda m: self.said.append(m.text) if m.type != "log" else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", self._dialog)

    def _dialog(self, dialog: Any) -> None:
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open(self, path: Path) -> None:
        """Load the file and let its scripts run."""
        address = path.as_uri()

        def answer(route: Any) -> None:
            url = route.request.url
            if url.partition("#")[0] == address:
                route.continue_()
            else:
                self.asked.append(url)
                route.abort()

        self.page.route("**/*", answer)
        self.page.goto(address)
        self.page.wait_for_function("document.documentElement.classList.contains('js')")

    def has_run_others(self) -> bool:
        """Whether a script that came as text has run."""
        return bool(self.page.evaluate(f"'{MARKER}' in window"))

    def faults(self) -> list[str]:
        """What axe-core calls serious or critical."""
        self.page.evaluate(axe_script())  # by the debugger, whom the page's policy does not bind
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']} ({one['impact']}): {node['html'][:200]}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
            for node in one["nodes"][:3]
        ]


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium, started once for many visits."""
    playwright, path = playwright_module(), browser_path()
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def visit(chromium: Any, path: Path, width: int, theme: str, **more: Any) -> Iterator[Visit]:
    """A page of this width and theme, open."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, offline=False, **more
    )
    try:
        opened = Visit(context.new_page())
        opened.open(path)
        yield opened
    finally:
        context.close()
