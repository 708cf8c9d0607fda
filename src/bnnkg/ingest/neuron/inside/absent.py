"""Stand-ins for Python modules that a model imports and that make no part of its structure."""

from __future__ import annotations

import builtins
import dis
import functools
import importlib
import importlib.abc
import importlib.machinery
import sys
import time
import warnings
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from contextlib import suppress
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

DISPLAYS = (
    "matplotlib", "pylab", "mpl_toolkits", "seaborn", "plotly", "bokeh", "mayavi", "vtk", "pyvista",
    "IPython", "tkinter", "Tkinter", "PyQt4", "PyQt5", "PySide2", "wx", "tqdm", "imageio", "cv2",
)  # fmt: skip
WITH_NUMPY = frozenset({"pylab", "matplotlib.pylab"})


class Absent:
    """Anything at all: it can be called, indexed, counted with and drawn upon, to no effect."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Absent()

    def __setattr__(self, name: str, value: Any) -> None:
        """Forgets it."""

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        """Returns a function unchanged, as a decorator may, and nothing of what is called else."""
        if len(arguments) == 1 and callable(arguments[0]) and not isinstance(arguments[0], Absent):
            return arguments[0]
        return Absent()

    def __mro_entries__(self, _: Any) -> tuple[type, ...]:
        return ()

    def __iter__(self) -> Iterator[Any]:
        return iter([Absent() for _ in range(_n_unpacked())])

    def __getitem__(self, _: Any) -> Any:
        return Absent()

    def __setitem__(self, _: Any, __: Any) -> None:
        """Forgets it."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends nothing."""

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __int__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def __index__(self) -> int:
        return 0

    def _same(self, *_: Any) -> Any:
        return Absent()

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _same
    __rtruediv__ = __floordiv__ = __mod__ = __pow__ = __neg__ = __and__ = __or__ = _same


def _n_unpacked() -> int:
    """How many values ``a, b = absent`` expects."""
    frame = sys._getframe(2)
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset == frame.f_lasti and instruction.opname == "UNPACK_SEQUENCE":
            return int(instruction.arg or 0)
    return 0


class AbsentModule(ModuleType):
    """A module that has whatever is asked of it.

    Args:
        name: Its name.
        wanted: Names that ``from module import *`` brings, unless the importer has them.
    """

    __path__: MutableSequence[str] = []  # noqa: RUF012 (as importlib wants it)

    def __init__(self, name: str, wanted: Callable[[], frozenset[str]] = frozenset) -> None:
        super().__init__(name)
        self.__dict__["_wanted"] = wanted

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return sorted(self.__dict__["_wanted"]() - set(sys._getframe(1).f_globals))
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if self.__name__ in WITH_NUMPY:
            return _of_numpy(name)
        return Absent()


def _of_numpy(name: str) -> Any:
    """A name of pylab, which has all of numpy's."""
    numpy = importlib.import_module("numpy")
    for place in (numpy, numpy.random, numpy.linalg, numpy.fft):
        if hasattr(place, name):
            return getattr(place, name)
    return Absent()


def undefined_names(root: Path) -> frozenset[str]:
    """Names that code of a source reads and nothing of it defines: some star brings them."""
    used: set[str] = set()
    bound = set(dir(builtins))
    for path in root.rglob("*.py"):
        with suppress(SyntaxError, ValueError, OSError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _add_names(compile(path.read_bytes(), str(path), "exec"), used, bound)
    return frozenset(used - bound)


def _add_names(code: CodeType, used: set[str], bound: set[str]) -> None:
    """Adds global names that code and its functions read, and those that they bind."""
    at_top = code.co_name == "<module>"
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
            used.add(instruction.argval)
        elif instruction.opname == "STORE_GLOBAL" or (
            at_top and instruction.opname == "STORE_NAME"
        ):
            bound.add(instruction.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            _add_names(inner, used, bound)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds stand-ins for some modules, whether they are installed or not."""

    def __init__(self, names: frozenset[str], root: Path) -> None:
        self._names = names
        self._wanted = functools.cache(functools.partial(undefined_names, root))

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:  # noqa: ARG002
        """A module that this stands in for, or None."""
        if name.partition(".")[0] in self._names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> ModuleType:
        """The stand-in."""
        return AbsentModule(spec.name, self._wanted)

    def exec_module(self, module: ModuleType) -> None:
        """Does nothing."""


class _OneProcess:
    """``MPI.COMM_WORLD`` of a run that is alone."""

    rank, size = 0, 1

    def __getattr__(self, name: str) -> Any:
        return {
            "Get_rank": lambda: 0,
            "Get_size": lambda: 1,
            "bcast": lambda value, *_, **__: value,
            "gather": lambda value, *_, **__: [value],
            "allgather": lambda value, *_, **__: [value],
            "allreduce": lambda value, *_, **__: value,
            "reduce": lambda value, *_, **__: value,
        }.get(name, Absent())


def stand_in_for(names: Sequence[str], root: Path) -> None:
    """Makes modules importable that show, or that are not installed.

    Args:
        names: Modules besides those that only show.
        root: The source, whose code tells which names such a module has.
    """
    sys.meta_path.insert(0, Finder(frozenset({*DISPLAYS, *names}), root))
    sys.modules["neuron.gui"] = AbsentModule("neuron.gui")
    if "mpi4py" not in names:
        mpi, package = AbsentModule("mpi4py.MPI"), AbsentModule("mpi4py")
        mpi.__dict__["COMM_WORLD"] = _OneProcess()
        package.__dict__["MPI"] = mpi
        sys.modules |= {"mpi4py": package, "mpi4py.MPI": mpi}


def forgive_age(root: Path) -> None:
    """Gives back names that Python 3 and numpy took away.

    Args:
        root: The source, where files are looked for that are not in the working folder.
    """
    old: dict[str, Any] = {
        "xrange": range, "unicode": str, "basestring": str, "long": int, "unichr": chr,
        "raw_input": lambda *_: "", "input": lambda *_: "", "reduce": functools.reduce,
        "execfile": functools.partial(_execute_file, root), "file": open,
    }  # fmt: skip
    for name, value in old.items():
        if name == "input" or not hasattr(builtins, name):
            setattr(builtins, name, value)
    if not hasattr(time, "clock"):
        time.clock = time.perf_counter  # type: ignore[attr-defined]
    sys.modules.setdefault("cPickle", __import__("pickle"))
    numpy = importlib.import_module("numpy")
    for name, kind in (("float", float), ("int", int), ("bool", bool), ("object", object)):
        if name not in numpy.__dict__:
            setattr(numpy, name, kind)


def _execute_file(root: Path, path: str, *scopes: Any) -> None:
    found = Path(path) if Path(path).exists() else root / path
    code = compile(found.read_text(encoding="latin-1"), path, "exec")
    exec(code, *(scopes or (sys._getframe(1).f_globals,)))  # noqa: S102
