"""connectome: electron-microscopy volumes in, queryable connectomes out.

>>> with connectome.open("postgresql://user@host/database") as c:
...     c.partners(864691135000000001, where=connectome.Filter(min_synapses=3)).to_pandas()
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectome.version import VERSION as __version__

if TYPE_CHECKING:
    from connectome.query.connectome import Connectome
    from connectome.selection import Filter, NmBox

__all__ = ["Connectome", "Filter", "NmBox", "__version__", "open"]


def open(url: str | None = None, data_folder: str | Path = "connectome-data", *, timeout_s: float = 60.0) -> Connectome:
    """Open a database of connectomes for questions (see `connectome.query.connectome.Connectome`).

    Args:
        url: postgresql://user@host/database; None: CONNECTOME_DATABASE_URL, else the data folder's own server.
        data_folder: what builds were given.
        timeout_s: the longest that the database may take for a question.

    Raises:
        DatabaseError, SchemaError: unreachable, nothing there yet, or of another version.
    """
    from connectome.query.connectome import Connectome

    return Connectome.open(url, data_folder, timeout_s=timeout_s)


def __getattr__(name: str) -> Any:
    """The classes of the public interface, imported when they are first used."""
    if name == "Connectome":
        from connectome.query.connectome import Connectome

        return Connectome
    if name in ("Filter", "NmBox"):
        from connectome import selection

        return getattr(selection, name)
    raise AttributeError(f"module 'connectome' has no attribute '{name}'")
