"""Repairs of a source that was written for another system or another Python."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

HOC_ENDINGS = {".hoc", ".oc", ".ses", ".nrn", ".tem", ".inc", ".hoc1", ""}
MAX_TEXT_BYTES = 4 * 2**20
LOADED = re.compile(r'((?:load_file|xopen|load_proc|load_func|load_template|ropen)\s*\(\s*'
                    r'(?:\d\s*,\s*)?")([^"\n]+)(")')  # fmt: skip


def repair_paths(root: Path, folder: Path) -> list[str]:
    """Makes the files that hoc loads by name findable.

    Backslashes in paths become slashes. A file whose name differs by case, or that lies in
    another folder of the source, is linked to where it is looked for; nothing that is there is
    replaced.

    Returns:
        What was done, in words.
    """
    files = [path for path in root.rglob("*") if path.is_file()]
    by_name: dict[str, list[Path]] = {}
    for path in files:
        by_name.setdefault(path.name.lower(), []).append(path)
    told: list[str] = []
    for path in files:
        if path.suffix.lower() in HOC_ENDINGS and path.stat().st_size <= MAX_TEXT_BYTES:
            told += _repair_file(path, root, folder, by_name)
    return list(dict.fromkeys(told))


def _repair_file(
    path: Path, root: Path, folder: Path, by_name: dict[str, list[Path]]
) -> Iterator[str]:
    text = path.read_bytes().decode("latin-1")
    if not LOADED.search(text):
        return
    slashed = LOADED.sub(lambda m: m.group(1) + m.group(2).replace("\\", "/") + m.group(3), text)
    if slashed != text:
        path.write_bytes(slashed.encode("latin-1"))
        yield f"backslashes in paths of {path.relative_to(root)}"
    for match in LOADED.finditer(slashed):
        wanted = match.group(2)
        if wanted.startswith(("/", "~", "$")) or "%" in wanted:
            continue
        if any((base / wanted).is_file() for base in (folder, path.parent)):
            continue
        found = by_name.get(wanted.rpartition("/")[2].lower(), [])
        link = folder / wanted
        if found and _link(link, _nearest(found, path), root):
            yield f"{wanted} found as {_nearest(found, path).relative_to(root)}"


def _nearest(found: list[Path], path: Path) -> Path:
    """The one that shares most folders with the file that asks for it."""

    def distance(other: Path) -> tuple[int, str]:
        shared = sum(a == b for a, b in zip(other.parts, path.parts, strict=False))
        return len(other.parts) - 2 * shared, str(other)

    return min(found, key=distance)


def _link(link: Path, target: Path, root: Path) -> bool:
    try:
        inside = link.resolve().is_relative_to(root.resolve())
        if not inside or link.exists():
            return False
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    except OSError:
        return False
    return True


def convert_python_2(root: Path) -> list[str]:
    """Rewrites the files that Python 3 does not parse; their names.

    A division of whole numbers stays one, for network sizes come of it.
    """
    converted = []
    for path in sorted(root.rglob("*.py")):
        if path.is_file() and path.stat().st_size <= MAX_TEXT_BYTES and not _parses(path):
            text = _converted(path)
            if text is not None:
                path.write_text(text, encoding="utf-8")
                converted.append(str(path.relative_to(root)))
    return converted


def _parses(path: Path) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(path.read_bytes(), str(path), "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _converted(path: Path) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from lib2to3 import refactor
        except ImportError:
            return None
        text = path.read_bytes().decode("latin-1").expandtabs(8).replace("\r\n", "\n") + "\n"
        tool = refactor.RefactoringTool(refactor.get_fixers_from_package("lib2to3.fixes"))
        try:
            tree = ast.parse(str(tool.refactor_string(text, path.name)))
        except Exception:  # lib2to3 has no error of its own for what it cannot convert
            return None
    if "import division" not in text:
        tree = ast.fix_missing_locations(Division().visit(tree))
    return DIVISION + ast.unparse(tree)


DIVISION = """def _bnnkg_divide(a, b):
    whole = isinstance(a, int) and isinstance(b, int)
    return a // b if whole else a / b

"""


class Division(ast.NodeTransformer):
    """Writes every ``a / b`` as what Python 2 made of it."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """See the class."""
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        name = ast.Name("_bnnkg_divide", ast.Load())
        return ast.Call(name, [node.left, node.right], [])

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """See the class; only of plain names, for others would be evaluated twice."""
        self.generic_visit(node)
        if not (isinstance(node.op, ast.Div) and isinstance(node.target, ast.Name)):
            return node
        name = ast.Name("_bnnkg_divide", ast.Load())
        left = ast.Name(node.target.id, ast.Load())
        return ast.Assign([node.target], ast.Call(name, [left, node.value], []))
