"""What the person wants of the controller, read again only where it may be something else."""

from __future__ import annotations

from tokenbudget.app.control_wishes import wishes_of
from tokenbudget.app.watched import MOST_SESSIONS
from tokenbudget.config.layers import places_of
from tokenbudget.gateway.daemon.file_marks import marks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.control import Wishes


class KeptWishes:
    """The wishes of each project, read again when a file that they stand in is another one."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, Wishes]] = {}

    def __call__(self, settings: Settings) -> Wishes:
        """What `wishes_of` says. Raises BadConfig."""
        paths = [settings.config_path, *(place.path for place in places_of(settings))]
        mark = (settings.control, settings.file_fault, marks_of(paths))
        known = self._known.get(settings.working_dir)
        if known is None or known[0] != mark:
            if len(self._known) > MOST_SESSIONS:
                self._known.clear()
            known = mark, wishes_of(settings)
            self._known[settings.working_dir] = known
        return known[1]
