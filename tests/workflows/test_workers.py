"""Sources read in processes of their own: the same results, whatever happens to one of them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from bnnkg.ingest import Source, find_source
from bnnkg.workflows import workers
from bnnkg.workflows.workers import Reading, fingerprint, read_many, read_one

CELL = (
    '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="d">'
    '<izhikevich2007Cell id="{id}" v0="-60mV" C="100 pF" k="0.7 nS_per_mV" vr="-60 mV" '
    'vt="-40 mV" vpeak="35 mV" a="0.03 per_ms" b="-2 nS" c="-50 mV" d="100 pA"/></neuroml>'
)


def _sources(folder: Path, n: int) -> list[tuple[int, Source]]:
    found = []
    for place in range(n):
        path = folder / f"m{place}.nml"
        path.write_text(CELL.replace("{id}", f"c{place}"))
        found.append((place, find_source(str(path))))
    return found


def test_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    sources = _sources(tmp_path, 5)
    apart = {place: result for place, _, result in read_many(sources, Reading(), 2)}
    assert sorted(apart) == list(range(5))
    for place, source in sources:
        here = read_one(source, Reading())
        assert apart[place].report == here.report
        assert apart[place].tables == here.tables


def test_sources_are_taken_as_processes_come_free(tmp_path: Path) -> None:
    taken: list[int] = []

    def giving():  # type: ignore[no-untyped-def]
        for place, source in _sources(tmp_path, 6):
            taken.append(place)
            yield place, source

    results = read_many(giving(), Reading(), 2)
    next(results)
    assert len(taken) <= 3
    results.close()  # type: ignore[attr-defined]


def test_a_process_that_dies_takes_no_other_source_with_it(tmp_path: Path) -> None:
    sources = _sources(tmp_path, 3)
    fifo = tmp_path / "stuck"
    fifo.mkdir()
    os.mkfifo(fifo / "m.nml")  # a source whose reader waits for ever
    stuck = Source(fifo / "m.nml", "stuck", given="stuck")
    results = read_many([(9, stuck), *sources], Reading(), 2)
    found = [next(results) for _ in sources]
    assert sorted(place for place, _, _ in found) == [0, 1, 2]
    _kill_one_worker()
    place, _, result = next(results)
    assert (place, result.report.status, result.tables) == (9, "failed", None)
    assert result.report.reason == "the process that read it ended by signal 9"
    assert result.report.cause == "the process that read it ended"
    assert list(results) == []


def _kill_one_worker() -> None:
    import psutil

    server = [
        p
        for p in psutil.Process().children(recursive=True)
        if "forkserver" in " ".join(p.cmdline())
    ]
    children = [p for p in server if p.parent() in server]
    assert len(children) == 1
    os.kill(children[0].pid, signal.SIGKILL)


def test_a_source_that_takes_too_long_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "m.nml")
    monkeypatch.setattr(workers, "WALL_S", 0.2)
    begin = time.monotonic()
    [(_, _, result)] = read_many([(0, Source(tmp_path / "m.nml", "m"))], Reading(), 2)
    assert result.report.status == "failed"
    assert "hours" in result.report.reason
    assert time.monotonic() - begin < 30


def test_a_source_that_needs_too_much_memory_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_memory_each", lambda jobs: 300 * 2**20)
    path = tmp_path / "m.nml"
    cells = "".join(f'<iafCell id="c{k}" note="{"x" * 4000}"/>' for k in range(60_000))
    path.write_text(CELL.replace("</neuroml>", f"{cells}</neuroml>").replace("{id}", "c"))
    [(_, _, result)] = read_many([(0, find_source(str(path)))], Reading(), 2)
    assert result.report.status == "failed"
    assert "memory" in result.report.reason or "signal" in result.report.reason


def test_strict_makes_no_records_of_a_flawed_source(tmp_path: Path) -> None:
    (tmp_path / "a.nml").write_text(CELL)
    (tmp_path / "README").write_text("words")
    source = find_source(str(tmp_path))
    assert read_one(source, Reading()).tables is not None
    assert read_one(source, Reading(strict=True)).tables is None


def test_the_fingerprint_follows_content_and_way_of_reading(tmp_path: Path) -> None:
    [(_, source)] = _sources(tmp_path, 1)
    folder = find_source(str(tmp_path))
    before = fingerprint(source, Reading()), fingerprint(folder, Reading())
    assert before == (fingerprint(source, Reading()), fingerprint(folder, Reading()))
    assert fingerprint(source, Reading(execute=True)) != before[0]
    source.path.write_text(source.path.read_text() + "\n")
    assert fingerprint(source, Reading()) != before[0]
    assert fingerprint(folder, Reading()) != before[1]


def test_few_sources_need_no_processes() -> None:
    assert workers.default_jobs(1) == 1
    assert 1 <= workers.default_jobs(100) <= (os.cpu_count() or 1)
