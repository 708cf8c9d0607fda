"""Captures that hostile code may have written: read exactly, or refused, and never a crash."""

from __future__ import annotations

import copy
import io
import json
import os
import random
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_captures import Columns, columns, header, write_capture

from bnnkg.errors import SourceError
from bnnkg.ingest.neuron.capture import Capture, read_capture
from bnnkg.ingest.neuron.columns import MAX_COLUMNS, read_columns
from bnnkg.ingest.neuron.executed import executed_parts
from bnnkg.ingest.neuron.mods import read_mods
from bnnkg.ingest.sources import LocalTree, Source


def _numbers(capture: Capture) -> dict[str, Any]:
    """Everything that a capture holds, under the names of its columns."""
    s, g, p, n = capture.sections, capture.segments, capture.points, capture.netcons
    return {
        "section_name": s.name, "section_cell": s.cell, "section_nseg": s.nseg,
        "section_L": s.length_um, "section_Ra": s.ra_ohm_cm, "section_parent": s.parent,
        "section_parent_x": s.parent_x, "section_child_end": s.child_end,
        "section_n3d": np.diff(s.first_point), "pt3d": capture.points_um,
        "segment_diam": g.diameter_um, "segment_area_um2": g.area_um2,
        "segment_volume_um3": g.volume_um3, "segment_cm": g.cm_uF_per_cm2,
        "density/pas/segment": capture.densities["pas"].segment,
        "density/pas/values": capture.densities["pas"].values,
        "ion/na/segment": capture.ions["na"].segment,
        "ion/na/values": capture.ions["na"].values,
        "point_mechanism": np.array(p.kinds)[p.mechanism], "point_index": p.index,
        "point_segment": p.segment, "point_x": p.x,
        **{f"point/{name}/row": rows for name, rows in p.row.items()},
        **{f"point/{name}/values": values for name, values in p.values.items()},
        "netcon_pre_segment": n.pre_segment, "netcon_pre_point": n.pre_point,
        "netcon_post": n.post, "netcon_n_weights": n.n_weights, "netcon_active": n.active,
        "netcon_threshold": n.threshold_mV, "netcon_delay": n.delay_ms, "netcon_weight": n.weight,
    }  # fmt: skip


def test_what_was_written_is_read(tmp_path: Path) -> None:
    capture = read_capture(write_capture(tmp_path, header(), columns()))
    found = _numbers(capture)
    for name, written in columns().items():
        if name in found:
            np.testing.assert_array_equal(found[name], written, err_msg=name)
    assert columns().keys() - found.keys() == {
        "segment_v", "netcon_pre_gid", "pointer_row", "pointer_name", "pointer_segment",
        "pointer_point", "pointer_target", "shape_n3d", "shape",
    }  # fmt: skip
    assert capture.notes == ()
    head = capture.header
    assert (head.entry, head.commands, head.stubs) == ("init.hoc", ("run()",), True)
    assert (head.celsius, head.v_init_mV, head.ions) == (6.3, -65, {"na": 1.0})
    assert head.mechanisms["pas"].range_names == (("g_pas", 1), ("e_pas", 1))


def _nothing_is_made_up(capture: Capture) -> None:
    """A capture that is accepted also makes a graph, or is refused there."""
    mods = read_mods(LocalTree(Path("/nowhere")), [])
    executed_parts([capture], mods, Source(Path("/nowhere"), "m"))


Change = tuple[str, Callable[[Any], Any]]
FORGED: dict[str, tuple[Change, str]] = {
    "a parent that is not there": (("section_parent", lambda a: a + 7), "out of range"),
    "its own parent": (("section_parent", lambda a: np.array([0, 0])), "own ancestors"),
    "a ring of parents": (("section_parent", lambda a: np.array([1, 0])), "own ancestors"),
    "no segments": (("section_nseg", lambda a: a * 0), "out of range"),
    "more segments than NEURON has": (("section_nseg", lambda a: a * 0 + 2**20), "out of range"),
    "segments beyond memory": (("section_nseg", lambda a: np.array([1, 32767])), "length"),
    "a negative length": (("section_L", lambda a: -a), "out of range"),
    "a length that is no number": (("section_L", lambda a: a * np.nan), "out of range"),
    "an endless length": (("section_L", lambda a: a * np.inf), "out of range"),
    "a place beyond the parent": (("section_parent_x", lambda a: a + 1), "out of range"),
    "a third end": (("section_child_end", lambda a: a + 2), "out of range"),
    "a cell that is not there": (("section_cell", lambda a: a + 1), "out of range"),
    "points of a section that has none": (("section_n3d", lambda a: a + 1), "length"),
    "points beyond counting": (("section_n3d", lambda a: np.array([2**31, 2**31])), "length"),
    "a point that is no place": (("pt3d", lambda a: a * np.nan), "out of range"),
    "points in two dimensions": (("pt3d", lambda a: a[:, :2]), "length"),
    "a section too few": (("section_name", lambda a: a[:1]), "length"),
    "names that are numbers": (("section_name", lambda a: np.arange(2)), "type"),
    "numbers that are names": (("section_L", lambda a: np.array(["a", "b"])), "type"),
    "a diameter that is no number": (("segment_diam", lambda a: a * np.nan), "out of range"),
    "a negative area": (("segment_area_um2", lambda a: -a), "out of range"),
    "a mechanism in no segment": (("density/pas/segment", lambda a: a + 3), "out of range"),
    "a segment twice": (("density/pas/segment", lambda a: a * 0), "twice"),
    "a mechanism in a part": (("density/pas/segment", lambda a: np.array([0, 1, 2, 2])), "twice"),
    "values too wide": (("density/pas/values", lambda a: a[:, :1]), "length"),
    "an ion in no segment": (("ion/na/segment", lambda a: a - 1), "out of range"),
    "a point process of no kind": (("point_mechanism", lambda a: np.array(["pas"] * 3)), "known"),
    "a point process of none": (("point_mechanism", lambda a: np.array(["x"] * 3)), "known"),
    "an artificial cell on a section": (("point_segment", lambda a: a * 0), "artificial"),
    "a point process nowhere": (("point_segment", lambda a: a + 9), "out of range"),
    "no place on the section": (("point_x", lambda a: a * np.nan), "without a place"),
    "a place off the section": (("point_x", lambda a: a + 3), "out of range"),
    "rows of another": (("point/ExpSyn/row", lambda a: a + 1), "not its own"),
    "rows that are not there": (("point/ExpSyn/row", lambda a: a + 10**9), "out of range"),
    "a number twice": (("point_mechanism", lambda a: np.array(["ExpSyn"] * 3)), "not its own"),
    "a target that is not there": (("netcon_post", lambda a: a + 3), "out of range"),
    "a source that is not there": (("netcon_pre_point", lambda a: a + 3), "out of range"),
    "two sources": (("netcon_pre_segment", lambda a: a * 0), "two sources"),
    "a NetCon too few": (("netcon_delay", lambda a: a[:1]), "length"),
    "half active": (("netcon_active", lambda a: a + 1), "out of range"),
    "three dimensions": (("section_L", lambda a: a.reshape(1, 1, 2)), "cannot be read"),
    "complex numbers": (("section_L", lambda a: a * 1j), "cannot be read"),
    "objects": (("section_L", lambda a: np.array([1, "a"], object)), "cannot be read"),
    "a time": (("section_L", lambda a: np.zeros(2, "datetime64[s]")), "cannot be read"),
    "bytes": (("section_name", lambda a: a.astype("S")), "cannot be read"),
    "a record": (("section_L", lambda a: np.zeros(2, [("a", "f8")])), "cannot be read"),
    "the other order of bytes": (("section_L", lambda a: a.astype(">f8")), "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_forged_columns_are_refused(tmp_path: Path, name: str) -> None:
    (column, change), said = FORGED[name]
    values = columns()
    values[column] = change(values[column])
    folder = write_capture(tmp_path, header(), values)
    with pytest.raises(SourceError, match=said) as refused:
        read_capture(folder)
    assert "run it again" in str(refused.value) or "npz" in str(refused.value)


@pytest.mark.parametrize("name", [n for n in columns() if n[:5] not in ("shape", "point")])
def test_no_column_may_lack(tmp_path: Path, name: str) -> None:
    values = columns()
    del values[name]
    folder = write_capture(tmp_path, header(), values)
    if name in ("segment_v", "netcon_pre_gid"):  # nothing in the graph is made of them
        assert len(read_capture(folder).sections) == 2
    else:
        with pytest.raises(SourceError, match="no such column|counts"):
            _nothing_is_made_up(read_capture(folder))


def test_numbers_that_are_none_are_left_out_and_told(tmp_path: Path) -> None:
    values = columns()
    values["density/pas/values"][1, 0] = np.nan
    values["density/pas/values"][2, 1] = 1e300
    values["netcon_weight"][0] = np.inf
    capture = read_capture(write_capture(tmp_path, header(), values))
    assert capture.notes == (
        "2 values of density/pas are no numbers and were left out",
        "1 NetCons have a weight that is no number",
    )
    assert np.isnan(capture.densities["pas"].values).sum() == 2
    _nothing_is_made_up(capture)


HEADS: dict[str, tuple[tuple[str, Any], str]] = {
    "a list": (("", []), "something else than an object"),
    "another form": (("form", 2), "another form"),
    "no entry": (("entry", None), "something else than a text"),
    "commands that are one": (("commands", "run()"), "something else than a list"),
    "commands of numbers": (("commands", [3]), "something else than texts"),
    "stubs perhaps": (("stubs", 1), "yes or no"),
    "celsius in words": (("celsius", "warm"), "something else than a number"),
    "celsius true": (("celsius", True), "something else than a number"),
    "mechanisms that are none": (("mechanisms", {"pas": 3}), "something else than an object"),
    "a mechanism of no kind": (("mechanisms", {"pas": {"kind": "odd"}}), "no kind"),
    "a huge mechanism": (
        ("mechanisms", {"pas": {"kind": "density", "range": [["a", 10**5], ["b", 10**5]],
                                "global": [], "builtin": True}}), "too many"),
    "a range of no size": (
        ("mechanisms", {"pas": {"kind": "density", "range": [["a", 0]], "global": [],
                                "builtin": True}}), "without a name and size"),
    "a range twice": (
        ("mechanisms", {"pas": {"kind": "density", "range": [["a", 1]] * 2, "global": [],
                                "builtin": True}}), "twice"),
    "a mechanism that is not known": (("mechanisms", {}), "known mechanism"),
    "an ion that is not known": (("ions", {}), "no known mechanism"),
    "cells without templates": (("templates", []), "cells without templates"),
    "a count that is none": (("counts", {"sections": "two"}), "no count"),
    "another count": (("counts", {"sections": 3}), "counts that its columns do not have"),
    "counts of others": (("counts", {"density": {"hh": 4}}), "counts that its columns"),
    "a negative count": (("counts", {"netcons": -1}), "no count"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_forged_headers_are_refused(tmp_path: Path, name: str) -> None:
    (key, value), said = HEADS[name]
    head: Any = header()
    if key:
        head[key] = value
    else:
        head = value
    with pytest.raises(SourceError, match=said):
        read_capture(write_capture(tmp_path, head, columns()))


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"form": 1e999}', b"NaN", b'"\\ud800"',
        b'{"form": 1, "form": 2}', b"9" * 5000,
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_header_is_refused(tmp_path: Path, text: bytes) -> None:
    write_capture(tmp_path, header(), columns())
    (tmp_path / "capture.json").write_bytes(text)
    with pytest.raises(SourceError):
        read_capture(tmp_path)


def test_text_that_nothing_can_hold_is_cleaned(tmp_path: Path) -> None:
    head = header()
    head["entry"] = "a\ud800b\0c"
    capture = read_capture(write_capture(tmp_path, head, columns()))
    assert capture.header.entry == "a?bc"


@pytest.mark.parametrize("name", ["capture.json", "capture.npz"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "absent", "device"])
def test_only_regular_files_are_read(tmp_path: Path, name: str, kind: str) -> None:
    folder = write_capture(tmp_path / "run", header(), columns())
    target = folder / name
    target.rename(tmp_path / "kept")
    if kind == "link":
        target.symlink_to(tmp_path / "kept")
    elif kind == "pipe":
        os.mkfifo(target)  # to open it for reading would wait for ever
    elif kind == "folder":
        target.mkdir()
    elif kind == "device":
        target.symlink_to("/dev/zero")
    with pytest.raises(SourceError):
        read_capture(folder)


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    write_capture(tmp_path / "run", header(), columns())
    (tmp_path / "other").symlink_to(tmp_path / "run")
    with pytest.raises(SourceError, match="a link"):
        read_capture(tmp_path / "other")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    write_capture(tmp_path, header(), columns())
    os.truncate(tmp_path / "capture.npz", 2**40)  # a hole: it takes no space
    with pytest.raises(SourceError, match="too large"):
        read_capture(tmp_path)


def _archive(path: Path, *members: tuple[str, bytes], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def _column(header_text: str, data: bytes = b"") -> bytes:
    text = header_text.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


HEADERS = [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (99999, 99999, 99999), }",
    "{'descr': '<U9999', 'fortran_order': False, 'shape': (999999999999,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').getpid(),), }",
    "{'descr': '<f16', 'fortran_order': False, 'shape': (0,), }",
    "(" * 3000,
    "",
]


@pytest.mark.parametrize("text", HEADERS, ids=range(len(HEADERS)))
def test_headers_of_columns_promise_nothing(tmp_path: Path, text: str) -> None:
    path = _archive(tmp_path / "a.npz", ("a.npy", _column(text, b"12345678")))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError, match="cannot be read"):
        read_columns(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 100_000  # KiB


def test_bombs_are_refused_by_their_directory(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.npz", ("a.npy", b"x"), ("b.npy", b"y"))
    content = bytearray(path.read_bytes())
    for sign in range(len(content)):
        if content[sign : sign + 4] == b"PK\x01\x02":  # an entry: its size unpacked stands at 24
            content[sign + 24 : sign + 28] = (2**32 - 2).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(SourceError, match="too large"):
        read_columns(path)


def test_a_bomb_that_hides_its_size_is_not_unpacked(tmp_path: Path) -> None:
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"
    content = _column(text, bytes(2**26))
    path = _archive(tmp_path / "a.npz", ("a.npy", content), compression=zipfile.ZIP_DEFLATED)
    patched = path.read_bytes().replace(
        len(content).to_bytes(4, "little"), len(_column(text, bytes(8))).to_bytes(4, "little")
    )
    path.write_bytes(patched)
    with pytest.raises(SourceError, match="cannot be read"):
        read_columns(path)


def test_a_member_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"
    path = _archive(tmp_path / "a.npz", ("a.npy", _column(text, bytes(2**20))))
    with pytest.raises(SourceError, match="not as long"):
        read_columns(path)


def test_many_columns_are_refused(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.npz", *((str(n), b"") for n in range(MAX_COLUMNS + 1)))
    with pytest.raises(SourceError, match="too many columns"):
        read_columns(path)


def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.save(content, np.zeros(1))
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = _archive(tmp_path / "a.npz", *[("a.npy", content.getvalue())] * 2)
    with pytest.raises(SourceError, match="one name"):
        read_columns(path)


def test_other_packings_are_refused(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.npz", ("a.npy", b""), compression=zipfile.ZIP_LZMA)
    with pytest.raises(SourceError, match="packed in a way"):
        read_columns(path)


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    text = "{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }"
    for code in (0xD800, 0x110000, 0xFFFFFFFF):
        data = code.to_bytes(4, "little")
        path = _archive(tmp_path / "a.npz", ("a.npy", _column(text, data)))
        with pytest.raises(SourceError, match="no text"):
            read_columns(path)


def test_compressed_columns_are_read_too(tmp_path: Path) -> None:
    with (tmp_path / "a.npz").open("wb") as file:
        np.savez_compressed(file, a=np.arange(5), b=np.asfortranarray(np.eye(3)[:, :2]))
    found = read_columns(tmp_path / "a.npz")
    assert found["a"].tolist() == [0, 1, 2, 3, 4]
    assert found["b"].tolist() == [[1, 0], [0, 1], [0, 0]]


def _bytes_of(tmp_path: Path) -> bytes:
    return (write_capture(tmp_path, header(), columns()) / "capture.npz").read_bytes()


@settings(max_examples=120)
@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_broken_bytes_are_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random, n_changes: int
) -> None:
    folder = tmp_path_factory.getbasetemp() / "broken"
    content = bytearray(_bytes_of(folder))
    for _ in range(n_changes):
        place = chance.randrange(len(content))
        how = chance.randrange(4)
        if how == 0:
            content[place] = chance.randrange(256)
        elif how == 1:
            del content[place : place + chance.randrange(1, 40)]
        elif how == 2:
            content[place:place] = content[: chance.randrange(1, 40)]
        else:
            content[place : place + 8] = chance.choice([b"\xff" * 8, bytes(8), b"\x7f" * 8])
    (folder / "capture.npz").write_bytes(content)
    _refused_or_graph(folder)


VALUES = st.sampled_from([-1, 0, 1, 2, 3, 2**31 - 1, -(2**31), 0.5, np.nan, np.inf, -np.inf, 1e308])


@settings(max_examples=120)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(columns())), st.integers(0, 7), VALUES), min_size=1,
             max_size=3)
)  # fmt: skip
def test_wrong_numbers_are_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, int, float]]
) -> None:
    values: Columns = columns()
    for name, place, value in changes:
        column = values[name].copy()
        if column.size and column.dtype.kind == "U":
            column.ravel()[place % column.size] = ["ExpSyn", "pas", "", "x" * 12][place % 4]
        elif column.size:
            wide = column.astype(float)
            wide.ravel()[place % column.size] = value
            whole = column.dtype.kind == "i" and np.isfinite(wide).all() and abs(value) < 2**31
            column = wide.astype(column.dtype) if whole else wide
        values[name] = column
    folder = tmp_path_factory.getbasetemp() / "wrong"
    _refused_or_graph(write_capture(folder, header(), values))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=120)
@given(st.sampled_from(sorted(header())), st.integers(0, 3), JSON)
def test_wrong_headers_are_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, key: str, depth: int, value: Any
) -> None:
    head = copy.deepcopy(header())
    holder, name = head, key
    for _ in range(depth):
        inner = holder[name]
        if not isinstance(inner, dict) or not inner:
            break
        holder, name = inner, sorted(inner)[0]
    holder[name] = value
    folder = tmp_path_factory.getbasetemp() / "heads"
    _refused_or_graph(write_capture(folder, json.loads(json.dumps(head)), columns()))


def _refused_or_graph(folder: Path) -> None:
    try:
        capture = read_capture(folder)
    except SourceError:
        return
    _nothing_is_made_up(capture)
