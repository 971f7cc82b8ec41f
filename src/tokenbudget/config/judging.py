"""Whether a settings file would make sense after an edit, before it is written."""

from __future__ import annotations

from tokenbudget.config.layers import layers_of, table_of
from tokenbudget.config.management import OURS, BadLayer, checked, resolve
from tokenbudget.config.settings import settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.config.management import Layer
    from tokenbudget.config.settings import Settings


def refuse_senseless(
    settings: Settings,
    scope: str,
    path: str,
    new: bytes,
    refuse_impossible: Callable[[Settings], None],
) -> None:
    """Pass bytes that may become the file of a scope.

    A fault that another file alone has does not stand in the way of mending this one.

    Raises:
        BadConfig: a value cannot be, by itself or together with the other layers.
    """
    if scope == OURS:
        places = {
            "HOME": settings.home_dir,
            "TOKENS_HOME": settings.data_dir,
            "TOKENS_CONFIG": settings.config_path,
        }
        alone = settings_of(places, "", new)
        refuse_impossible(alone)
        table: object = alone.token_management or None
    else:
        table = table_of(new)
    layers = [
        layer._replace(table=table, fault="") if layer.where == path else layer
        for layer in layers_of(settings)
    ]
    at = next((at for at, layer in enumerate(layers) if layer.where == path), None)
    if at is None:
        return
    checked(layers[at])
    for reach in (at + 1, len(layers)):  # by itself it has to hold in every project
        _refuse_disorder(layers[:reach], layers[at])


def _refuse_disorder(layers: Sequence[Layer], own: Layer) -> None:
    try:
        resolve(layers)
    except BadLayer as exc:
        if own in exc.suspects:
            raise
