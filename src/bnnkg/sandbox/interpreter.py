"""What a Python of this environment needs to see of the file system."""

from __future__ import annotations

import site
import sys
from pathlib import Path

PARTS = ("bin", "include", "lib", "lib64", "share", "pyvenv.cfg")


def interpreter_paths() -> tuple[Path, ...]:
    """Files of this interpreter and its packages, to be given to a sandbox as `read_only`.

    Only the parts of its prefixes that an installation makes, lest an environment that lies in
    somebody's home opens all of it. Packages that are installed in place (editable) stay outside.
    """
    prefixes = dict.fromkeys([sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix])
    paths = [Path(prefix) / part for prefix in prefixes if prefix != "/usr" for part in PARTS]
    if site.ENABLE_USER_SITE:
        paths.append(Path(site.getusersitepackages()))
    return tuple(path for path in paths if path.exists())
