"""Libraries that NEURON loads: what they need, and that none is left half made."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from written_runs import runs_code

from bnnkg.errors import SourceError
from bnnkg.ingest.neuron.compiling import find_toolchain, is_header, support_library

needs_neuron = pytest.mark.skipif(find_spec("neuron") is None, reason="NEURON is not installed")


def test_what_mods_may_include() -> None:
    given = ["a/b.h", "b.INC", "c.c", "shared.mod", "notes.txt", "h", "cell.hoc"]
    assert [path for path in given if is_header(path)] == given[:4]


@needs_neuron
def test_without_a_compiler_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SourceError, match="there is no C compiler") as told:
        find_toolchain()
    assert "gcc" in str(told.value)


@runs_code
def test_a_library_is_kept_by_what_it_is_made_of(compiled: Path) -> None:
    toolchain = find_toolchain()
    first = support_library(toolchain, compiled)
    made = first.stat().st_mtime_ns
    assert support_library(toolchain, compiled) == first
    assert first.stat().st_mtime_ns == made  # it was not made again
    assert first.stat().st_mode & 0o444 == 0o444
    assert toolchain.version in toolchain.identity


@runs_code
def test_a_compiler_that_fails_leaves_nothing(tmp_path: Path) -> None:
    broken = replace(find_toolchain(), compiler="/bin/false")
    with pytest.raises(SourceError, match="cannot be compiled"):
        support_library(broken, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
