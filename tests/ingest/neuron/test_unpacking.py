"""What of a source is written out to be run."""

from __future__ import annotations

from pathlib import Path

import pytest
from written_runs import write_model

from bnnkg.errors import SourceError
from bnnkg.ingest.neuron.unpacking import check_caps, refusal, unpack
from bnnkg.ingest.sources import LocalTree


def test_a_source_is_written_as_it_is_but_for_compiled_code(tmp_path: Path) -> None:
    files = {"a/b.hoc": b"1", "c.mod": b"2", "x86_64/c.o": b"3", "d.DLL": b"4", "A/b.hoc": b"5"}
    tree = LocalTree(write_model(tmp_path / "in", files))
    done = unpack(tree, tmp_path / "out")
    written = {p.relative_to(tmp_path / "out").as_posix(): p.read_bytes()
               for p in (tmp_path / "out").rglob("*") if p.is_file()}  # fmt: skip
    assert written == {"a/b.hoc": b"1", "c.mod": b"2", "A/b.hoc": b"5"}
    assert sorted(done.paths) == sorted(written)
    assert "a/b.hoc and A/b.hoc differ by case only" in done.notes
    assert sum("compiled code of its author" in note for note in done.notes) == 2


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../a", "leads out"), ("/a", "leads out"), ("a/../../b", "leads out"), ("", "leads out"),
        ("a\nb", "characters"), ("a\0b", "characters"), ("a\\b", "characters"),
        ("\u202ecoh.a", "characters"), ("x" * 201, "too long"), ("\xe9" * 101, "too long"),
        ("a.so", "compiled"), ("b.PYC", "compiled"), ("a b/\xb5.hoc", None), ("x" * 200, None),
    ],
    ids=range(14),
)  # fmt: skip
def test_paths(path: str, why: str | None) -> None:
    found = refusal(path)
    assert (found is None) if why is None else why in str(found)


def test_more_than_a_model_is_refused() -> None:
    check_caps(100, 2**20)
    for n_files, n_bytes in ((20_000, 0), (1, 2**30 + 1)):
        with pytest.raises(SourceError, match="too large to be run"):
            check_caps(n_files, n_bytes)
