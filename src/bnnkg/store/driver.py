"""The database's driver, without the libraries whose types it could send and is never given."""

from __future__ import annotations

import sys

_TABLES = ("pandas", "pyarrow")


def import_driver() -> None:
    """Imports the driver.

    Where they are installed, it imports pandas and pyarrow to take their types as parameters: half
    a second of CPU and some 65 MB in every command. They are hidden from it unless they are there
    already; whoever needs them imports them afterwards as ever.
    """
    hidden = [name for name in _TABLES if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not installed
    try:
        import neo4j  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]
