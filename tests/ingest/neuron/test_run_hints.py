"""Which files of a model to run, found by reading: by names, menus, READMEs, scripts, templates."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_runs import write_model

from bnnkg.ingest.neuron.hints import Configuration, buttons, configurations, read_readme
from bnnkg.ingest.neuron.hoc_programs import Program, scan_hoc
from bnnkg.ingest.neuron.hoc_tokens import matching_braces, tokens_of
from bnnkg.ingest.neuron.python_programs import Scripts
from bnnkg.ingest.neuron.readme import compiled_folders, named_files, without_tags
from bnnkg.ingest.sources import LocalTree

CELL = "create soma\nsoma insert hh\n"


def _ways(folder: Path, **files: str) -> list[Configuration]:
    named = {name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()}
    return list(configurations(LocalTree(write_model(folder, named))))


def test_modeldb_s_name_comes_first(tmp_path: Path) -> None:
    files = {"aaa_dot_hoc": CELL, "init_dot_hoc": CELL, "mosinit_dot_hoc": CELL,
             "sub__mosinit_dot_hoc": CELL}  # fmt: skip
    found = [way.entry for way in _ways(tmp_path, **files)]
    assert found == ["mosinit.hoc", "sub/mosinit.hoc", "init.hoc", "aaa.hoc"]


def test_what_only_loads_another_is_not_done_twice(tmp_path: Path) -> None:
    found = _ways(tmp_path, mosinit_dot_hoc='load_file("net.hoc")\n', net_dot_hoc=CELL)
    assert [way.entry for way in found] == ["mosinit.hoc"]


def test_the_readme_names_the_entry_and_its_folder(tmp_path: Path) -> None:
    readme = "To run:\n  cd model\n  nrnivmodl mechanisms\n  nrngui figure3.hoc\n"
    [first, *_] = _ways(
        tmp_path, README=readme, model__figure3_dot_hoc=CELL, zzz_dot_hoc=CELL,
        model__mechanisms__k_dot_mod="",
    )  # fmt: skip
    assert (first.entry, first.folder) == ("model/figure3.hoc", "model")
    assert first.mod_folders == ("model/mechanisms",)
    assert "README" in first.why


def test_buttons_of_a_menu_are_commands(tmp_path: Path) -> None:
    menu = 'xpanel("x")\nxbutton("quit", "quit()")\nxbutton("Fig 1", "load_file(\\"f1.hoc\\")")\n'
    [first, *_] = _ways(tmp_path, mosinit_dot_hoc=menu, f1_dot_hoc=CELL)
    assert (first.entry, first.commands) == ("mosinit.hoc", ('load_file("f1.hoc")',))
    found = buttons(LocalTree(tmp_path))
    assert [(b.label, b.path) for b in found] == [("quit", "mosinit.hoc"), ("Fig 1", "mosinit.hoc")]


def test_a_session_that_exports_cells_makes_them(tmp_path: Path) -> None:
    """The menu of ModelDB 122442: bare it makes nothing, and its button loads a session."""
    menu = 'xpanel("x")\nxbutton("Axon", "load_file(\\"axon.ses\\")")\nxpanel()\n'
    session = '{load_file("celbild.hoc", "CellBuild")}\n{ocbox_ = new CellBuild(1)}\n{cexport()}\n'
    [first, *_] = _ways(tmp_path, mosinit_dot_hoc=menu, axon_dot_ses=session)
    assert (first.entry, first.commands) == ("mosinit.hoc", ('load_file("axon.ses")',))


def test_a_part_that_the_readme_lists_comes_after_the_whole(tmp_path: Path) -> None:
    readme = "FILES\n1. clock.hoc: tells the time\n2. the_model_file.hoc: the main file\n"
    clock = "create soma\nsoma insert hh\nobjref c\n"
    whole = 'load_file("clock.hoc")\ncreate cell[100]\nforall insert hh\n'
    found = _ways(tmp_path, README=readme, clock_dot_hoc=clock, the_model_file_dot_hoc=whole)
    assert [way.entry for way in found] == ["the_model_file.hoc", "clock.hoc"]
    commanded = readme + "Run\n  nrngui clock.hoc\n"
    found = _ways(tmp_path, README=commanded, clock_dot_hoc=clock, the_model_file_dot_hoc=whole)
    assert found[0].entry == "clock.hoc"


def test_tests_of_a_toolbox_are_no_model(tmp_path: Path) -> None:
    assert _ways(tmp_path / "a", box__tests__io__run_dot_hoc=CELL) == []
    found = _ways(tmp_path / "b", tests__run_dot_hoc=CELL, latests__run_dot_hoc=CELL)
    assert [way.entry for way in found] == ["latests/run.hoc"]


def test_a_template_alone_is_made_once(tmp_path: Path) -> None:
    text = "begintemplate Pyr\ncreate soma\nproc init() { soma insert hh }\nendtemplate Pyr\n"
    [only] = _ways(tmp_path, cell_dot_hoc=text)
    assert only.commands == ("objref bnnkg_Pyr", "bnnkg_Pyr = new Pyr()")
    needs = text.replace("soma insert hh", "soma.L = $1  soma insert hh")
    assert _ways(tmp_path / "b", cell_dot_hoc=needs) == []


def test_python_that_imports_neuron_is_an_entry(tmp_path: Path) -> None:
    found = _ways(
        tmp_path, main_dot_py="import cells\n", cells_dot_py="from neuron import h\n",
        setup_dot_py="import neuron\n", plot_dot_py="import numpy\n",
    )  # fmt: skip
    assert [way.entry for way in found] == ["main.py"]
    tree = LocalTree(tmp_path)
    scripts = Scripts(tree, Program(tree))
    assert scripts.imports["main.py"] == ["cells.py"]
    assert (scripts.uses_neuron("main.py"), scripts.uses_neuron("plot.py")) == (True, False)


def test_circles_of_imports_and_loads_end(tmp_path: Path) -> None:
    files = {
        "a_dot_py": "import b\n",
        "b_dot_py": "import a\nimport neuron\n",
        "c_dot_hoc": 'load_file("d.hoc")\n' + CELL,
        "d_dot_hoc": 'load_file("c.hoc")\n',
    }
    assert {way.entry for way in _ways(tmp_path, **files)} <= {"a.py", "b.py", "c.hoc", "d.hoc"}


def test_nothing_to_run(tmp_path: Path) -> None:
    assert _ways(tmp_path, README="read me", data_dot_txt="1 2 3", a_dot_m="x = 1") == []


def test_what_a_hoc_file_does() -> None:
    file = scan_hoc(
        'load_file("a.hoc") // load_file("no.hoc")\n/* create x */\nproc f() { xopen("b.hoc") }\n'
        'begintemplate T\ncreate s\nproc init() { $1 }\nendtemplate T\nobjref o\no = new T(3)\n'
        'print "create { }"\nload_file(name)\n', "x.hoc",
    )  # fmt: skip
    assert file.top.loads == ["a.hoc"]
    assert (file.top.creates, file.top.unknown) == (False, True)
    assert list(file.top.makes) == ["T"]
    assert file.procedures["f"].loads == ["b.hoc"]
    assert file.procedures["T.init"].arguments
    assert file.templates == {"T": True}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("README.md", "Run it. Ask a.b@c.org or me (at) d.org.\n", "Run it. Ask (address removed)"),
        ("readme.html", "<html><p>One &lt; two</p><script>x()</script></html>", "One < two"),
        ("ReadMe", "\x00odd\x07 caf\xe9", "odd  caf\xe9"),
    ],
)  # fmt: skip
def test_readmes_are_text(tmp_path: Path, name: str, text: str, expected: str) -> None:
    tree = LocalTree(write_model(tmp_path, {name: text.encode("latin-1")}))
    found = read_readme(tree)
    assert found is not None
    assert expected in found
    assert "@" not in found
    assert "x()" not in found


def test_the_readme_nearest_the_top_is_taken(tmp_path: Path) -> None:
    tree = LocalTree(
        write_model(tmp_path, {"a/README": "deep", "readme.txt": "top", "reads.me": "no"})
    )
    assert read_readme(tree) == "top"
    assert read_readme(LocalTree(write_model(tmp_path / "none", {"x.hoc": ""}))) is None


def test_files_and_folders_that_texts_name() -> None:
    [one] = [n for n in named_files("cd sub\npython run_it.py 3\n", "README") if "." in n.name]
    assert (one.name, one.folders, one.command) == ("run_it.py", ("sub",), True)
    assert "mech" in compiled_folders("nrnivmodl mech\n")
    assert compiled_folders("cd a/b\nnrnivmodl\n") == ["a/b"]


def test_tags_without_ends_take_linear_time() -> None:
    for text in ("<" * 100_000, "<!--" * 50_000, "<p" * 50_000, "<script>" * 20_000):
        assert len(without_tags(text)) <= len(text) + 50_000


@settings(max_examples=100)
@given(st.text(alphabet='ab1."\\{}()[]/*\n <>!-', max_size=80))
def test_any_text_is_scanned(text: str) -> None:
    scan_hoc(text, "a.hoc")
    named_files(text, "README")
    without_tags(text)
    tokens = tokens_of(text, "a.hoc")
    for opening, closing in matching_braces(tokens).items():
        assert tokens[opening].text + tokens[closing].text in ("()", "[]", "{}")
        assert opening < closing


def test_words_by_hand() -> None:
    tokens = tokens_of('a=1.5e-3 // no\nb["x\\"y"] /* 1\n2 */ += .5\\\n c', "a.hoc")
    assert [(t.kind, t.text, t.line) for t in tokens] == [
        ("name", "a", 1), ("op", "=", 1), ("number", "1.5e-3", 1), ("newline", "\n", 1),
        ("name", "b", 2), ("op", "[", 2), ("text", 'x\\"y', 2), ("op", "]", 2), ("op", "+=", 3),
        ("number", ".5", 3), ("name", "c", 4),
    ]  # fmt: skip
    [point] = tokens_of("pt3dadd(1, -2.5 ,+3e1, .5)", "a.hoc")
    assert [float(v) for v in point.values] == [1, -2.5, 30, 0.5]
