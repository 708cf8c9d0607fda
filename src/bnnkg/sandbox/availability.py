"""Whether a sandbox can be had here, and what to do where not."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bnnkg.errors import SandboxError

INSTALL = (
    "install bubblewrap 0.8 or newer: `apt install bubblewrap` (Debian, Ubuntu), `dnf install "
    "bubblewrap` (Fedora); macOS and Windows have none: use Linux, or bnnkg's Docker image"
)
SWITCHES = {
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        "AppArmor keeps programs from making namespaces: give bwrap a profile that allows "
        "`userns`, or run `sysctl kernel.apparmor_restrict_unprivileged_userns=0`",
    ),
    "/proc/sys/kernel/unprivileged_userns_clone": (
        "0",
        "run `sysctl kernel.unprivileged_userns_clone=1`",
    ),
    "/proc/sys/user/max_user_namespaces": (
        "0",
        "run `sysctl user.max_user_namespaces=15000`",
    ),
}
CONTAINER = (
    "let bwrap make user namespaces (kernel.apparmor_restrict_unprivileged_userns=0, "
    "user.max_user_namespaces above 0); in Docker add `--security-opt seccomp=unconfined "
    "--security-opt apparmor=unconfined --security-opt systempaths=unconfined`"
)


def check() -> str | None:
    """None where model code can be run safely; else why not, and how to get there."""
    from bnnkg.sandbox.running import run

    with tempfile.TemporaryDirectory() as folder:
        try:
            outcome = run(["/bin/true"], writable=Path(folder))
        except SandboxError as error:
            return error.message()
    if outcome.status == "done":
        return None
    return SandboxError("a sandbox starts but runs nothing", found=outcome.stderr).message()


def refusal(stderr: str) -> SandboxError:
    """The error where bwrap could not make a sandbox, with advice from the kernel's switches.

    Args:
        stderr: What bwrap said.
    """
    found = stderr.strip()[-500:] or "bwrap ended without a word"
    return SandboxError("bwrap cannot make a sandbox here, so no model's code can be run",
                        found=found, hint=_advice(stderr))  # fmt: skip


def _advice(stderr: str) -> str:
    if "nknown option" in stderr:
        return INSTALL
    for path, (closed, advice) in SWITCHES.items():
        if Path(path).exists() and Path(path).read_text().strip() == closed:
            return advice
    return CONTAINER
