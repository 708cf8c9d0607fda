"""What is told where no sandbox can be had."""

import os
from pathlib import Path

import pytest

from bnnkg.errors import SandboxError
from bnnkg.sandbox import availability, check, run


def _fake_bwrap(folder: Path, script: str) -> str:
    folder.mkdir()
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    folder.parent.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_without_bwrap_the_package_is_named(work, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError) as refused:
        run(["/bin/true"], writable=work)
    message = str(refused.value)
    assert message == check()
    for advice in ("bwrap is not installed", "apt install bubblewrap", "dnf install bubblewrap",
                   "macOS", "Docker"):  # fmt: skip
        assert advice in message


def test_on_another_system_linux_is_named(work, monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(SandboxError, match="use Linux"):
        run(["/bin/true"], writable=work)


@pytest.mark.parametrize(
    ("switch", "value", "advice"),
    [
        ("apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
        ("unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("max_user_namespaces", "0", "user.max_user_namespaces=15000"),
        ("max_user_namespaces", "100", "seccomp=unconfined"),
    ],
)
def test_a_bwrap_that_may_not_is_explained(work, tmp_path, monkeypatch, switch, value, advice):
    """The switches of the kernel are files; those of this test lie in its own folder."""
    script = "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1"
    monkeypatch.setenv("PATH", _fake_bwrap(tmp_path / "bin", script))
    (tmp_path / switch).write_text(value + "\n")
    switches = {str(tmp_path / Path(path).name): told
                for path, told in availability.SWITCHES.items()}  # fmt: skip
    monkeypatch.setattr(availability, "SWITCHES", switches)
    with pytest.raises(SandboxError) as refused:
        run(["/bin/true"], writable=work)
    message = str(refused.value)
    assert message == check()
    assert "found: bwrap: setting up uid map: Permission denied" in message
    assert advice in message


def test_an_old_bwrap_is_to_be_replaced(work, tmp_path, monkeypatch):
    script = "echo 'bwrap: Unknown option --disable-userns' >&2; exit 1"
    monkeypatch.setenv("PATH", _fake_bwrap(tmp_path / "bin", script))
    with pytest.raises(SandboxError, match=r"install bubblewrap 0\.8 or newer"):
        run(["/bin/true"], writable=work)


def test_a_bwrap_that_does_nothing_is_no_sandbox(work, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", _fake_bwrap(tmp_path / "bin", "exit 0"))
    with pytest.raises(SandboxError):
        run(["/bin/true"], writable=work)
    assert check() is not None


def test_nothing_is_left_where_it_was_refused(work, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", _fake_bwrap(tmp_path / "bin", "exit 1"))
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(SandboxError):
        run(["/bin/true"], writable=work)
    assert sorted(Path("/proc/self/fd").iterdir()) == before
