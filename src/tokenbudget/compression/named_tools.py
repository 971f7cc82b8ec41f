"""Which tools a list names: by name, or by a beginning that ends with `*`.

Imports nothing: every hook asks this.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def is_named(tool: str, names: "Sequence[str]") -> bool:
    """Whether one of these names is meant to be this tool's."""
    return any(_fits(tool, name) for name in names)


def _fits(tool: str, name: str) -> bool:
    return tool.startswith(name[:-1]) if name.endswith("*") else tool == name
