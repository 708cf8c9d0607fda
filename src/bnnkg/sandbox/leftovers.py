"""What a sandbox left in its folder, handled as the work of a stranger."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path, PurePosixPath

from bnnkg.errors import SandboxError


def read_file(folder: Path, name: str, *, max_bytes: int) -> bytes:
    """Content of a regular file that a sandbox left; no symbolic link is followed on the way.

    Args:
        folder: The sandbox's writable folder.
        name: Path within it, with `/`.
        max_bytes: The longest that is read.

    Raises:
        SandboxError: It is absent, longer, no regular file, or lies behind a link.
    """
    where = str(folder / name)
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/"):
        raise SandboxError("the name leads out of the sandbox's folder", where=where)
    try:
        descriptor = _open_beneath(folder, parts)
    except OSError as error:
        raise SandboxError(
            "the sandbox left no such file", where=where, found=str(error)
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SandboxError("what the sandbox left there is no regular file", where=where)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise SandboxError("the sandbox left too long a file", where=where,
                           expected=f"at most {max_bytes:,} bytes")  # fmt: skip
    return content


def _open_beneath(folder: Path, parts: tuple[str, ...]) -> int:
    """Opens step by step, for O_NOFOLLOW looks at the last step only."""
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        # A named pipe would block until somebody writes.
        return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    finally:
        os.close(here)


def remove_folder(folder: Path) -> None:
    """Removes a sandbox's folder, however deep its folders are and whatever modes they have.

    Python's own `shutil.rmtree` stops at a thousand levels and at a folder without permissions.

    Raises:
        SandboxError: Something of it is still there.
    """
    for command in (["chmod", "-R", "u+rwX", "--"], ["rm", "-rf", "--"]):
        arguments = [*command, str(folder)]
        ended = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603
    if folder.exists():
        raise SandboxError("the sandbox's folder cannot be removed", where=str(folder),
                           found=ended.stderr[:500])  # fmt: skip
