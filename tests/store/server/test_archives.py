from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bnnkg.store.server.archives import JAVA_OPTIONS, Archives, base_options, prepare
from bnnkg.store.server.jars import Distribution, java


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """A program of no jars, whose archives nobody has made yet."""
    monkeypatch.setenv("BNNKG_CACHE", str(tmp_path))
    return Distribution("0", (), java())


def recorded_to(archives: Archives) -> list[str]:
    return [option for option in archives.options if "ArchiveClassesAtExit" in option]


def test_one_server_records_and_others_start_without(distribution: Distribution) -> None:
    first, second = prepare(distribution), prepare(distribution)
    assert recorded_to(first) == [f"-XX:ArchiveClassesAtExit={first.recording}"]
    assert (recorded_to(second), second.recording) == ([], None)
    assert first.recording is not None
    first.recording.write_bytes(b"classes")
    first.adopt(143)
    third = prepare(distribution)
    assert third.recording is None
    assert any(str(first.place) in option for option in third.options)


def test_a_short_program_keeps_no_server_from_recording(distribution: Distribution) -> None:
    options = base_options(distribution)
    assert len(options) == 1
    assert prepare(distribution).recording is not None
    assert base_options(distribution) == options


def test_java_writes_over_the_claim_and_reads_what_it_wrote(distribution: Distribution) -> None:
    archives = prepare(distribution)
    assert archives.recording is not None
    assert archives.recording.stat().st_size == 0
    _run(distribution, archives)
    archives.adopt(0)
    assert archives.place.stat().st_size > 10_000
    assert not archives.recording.exists()
    # Java refuses to start rather than do without an archive.
    _run(distribution, prepare(distribution), "-Xshare:on")


def _run(distribution: Distribution, archives: Archives, *more: str) -> None:
    command = [str(distribution.java), *JAVA_OPTIONS, *archives.options, *more, "-version"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize(("code", "content"), [(1, b"half"), (0, b"")])
def test_what_a_server_did_not_finish_is_no_archive(
    distribution: Distribution, code: int, content: bytes
) -> None:
    archives = prepare(distribution)
    assert archives.recording is not None
    archives.recording.write_bytes(content)
    archives.adopt(code)
    assert not archives.place.exists()
    assert prepare(distribution).recording is not None


def test_a_claim_of_a_dead_process_is_no_claim(distribution: Distribution) -> None:
    archives = prepare(distribution)
    assert archives.recording is not None
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    archives.recording.rename(archives.recording.with_suffix(f".{gone.stdout.strip()}"))
    assert prepare(distribution).recording == archives.recording
    assert archives.recording.suffix == f".{os.getpid()}"
