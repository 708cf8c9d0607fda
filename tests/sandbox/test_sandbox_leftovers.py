"""Reading and removing what a stranger left."""

import os

import pytest

from bnnkg.errors import SandboxError
from bnnkg.sandbox import read_file, remove_folder


def test_a_file_is_read(work):
    (work / "a").mkdir()
    (work / "a" / "b").write_bytes(b"content")
    assert read_file(work, "a/b", max_bytes=7) == b"content"


def test_a_longer_file_is_refused(work):
    (work / "b").write_bytes(b"content")
    with pytest.raises(SandboxError, match="too long"):
        read_file(work, "b", max_bytes=6)


@pytest.mark.parametrize("name", ["link", "folder/secret", "inner/link", "turn/link"])
def test_no_link_is_followed(work, outside, name):
    (work / "link").symlink_to(outside / "secret")
    (work / "folder").symlink_to(outside)
    (work / "inner").mkdir()
    (work / "inner" / "link").symlink_to("../../outside/secret")
    (work / "turn").symlink_to("inner")
    with pytest.raises(SandboxError, match="no such file"):
        read_file(work, name, max_bytes=100)


@pytest.mark.parametrize("name", ["../outside/secret", "/etc/passwd", "", "a/../../outside/secret"])
def test_no_name_leads_out(work, outside, name):
    with pytest.raises(SandboxError, match="leads out"):
        read_file(work, name, max_bytes=10_000)


def test_what_is_no_file_is_refused_at_once(work):
    os.mkfifo(work / "pipe")
    (work / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(SandboxError, match="no regular file"):
            read_file(work, name, max_bytes=10)
    with pytest.raises(SandboxError, match="no such file"):
        read_file(work, "absent", max_bytes=10)


def test_a_folder_is_removed_however_deep_or_closed(work, outside):
    (work / "link").symlink_to(outside)
    (work / "closed").mkdir()
    (work / "closed" / "file").write_text("x")
    (work / "closed").chmod(0)
    here = os.open(work, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    remove_folder(work)
    assert not work.exists()
    assert (outside / "secret").read_text() == "hidden treasure"
    remove_folder(work)
