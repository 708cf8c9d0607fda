"""The fenced examples of a page, and a shell and a Python that run them as a reader would."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FENCE = re.compile(
    r"(?:<!-- (?P<remark>[^\n]+?) -->\n+)?^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_LONGEST_S = 300
_END = "--end-of-a-command--"


@dataclass(frozen=True)
class Example:
    """A block of a page.

    Attributes:
        language: console, python or cypher.
        text: What stands in it.
        line: Where it begins.
        varies: Whether it prints other values each time, or on other machines.
    """

    language: str
    text: str
    line: int
    varies: bool


@dataclass(frozen=True)
class Command:
    """A command with what it prints; absent where the page does not say."""

    text: str
    expected: str | None


def examples(page: str) -> Iterator[Example]:
    """The blocks that can be run, but for those after a comment ``not run: why``."""
    for match in _FENCE.finditer(page):
        remark = match["remark"] or ""
        if match["language"] in {"console", "python", "cypher"} and "not run: " not in remark:
            line = page.count("\n", 0, match.start("language")) + 1
            yield Example(match["language"], match["text"], line, remark == "values vary")


def commands(block: str) -> Iterator[Command]:
    """The commands after ``$``; one goes on until its quotes are closed."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        first, *rest = part.splitlines()
        text = first
        while rest and not _is_closed(text):
            text += "\n" + rest.pop(0).removeprefix("> ")
        yield Command(text, "\n".join(rest).strip("\n") or None)


def _is_closed(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True


class Shell:
    """One bash for all commands of a page, so that what one exports the next sees."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._errors = folder / "stderr.txt"
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-o", "pipefail"],
                cwd=folder, env=environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip

    def run(self, command: str) -> tuple[str, int]:
        """What a command prints, with the error it ends with, and its exit code."""
        before = self._errors.stat().st_size
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        end = f"code=$?; printf '\\n%s %s\\n' {_END} $code; (exit $code)"
        self._process.stdin.write(f"{command}\n{end}\n")
        self._process.stdin.flush()
        patience = threading.Timer(_LONGEST_S, self._process.kill)
        patience.start()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.startswith(_END):
                break
            lines.append(line)
        patience.cancel()
        told = self._errors.read_bytes()[before:].decode()
        if not lines or not line.startswith(_END):
            raise AssertionError(f"the shell ended in: {command}\n{told}")
        code = int(line.split()[1])
        error = told[told.index("error: ") :] if code and "error: " in told else ""
        return "".join(lines).removesuffix("\n") + error, code

    def close(self) -> None:
        self._process.communicate("exit\n", timeout=10)


class Interpreter:
    """One Python for all blocks of a page, as a notebook is."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("interpreter.py"))],
            cwd=folder, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, block: str) -> str:
        """What differs from what the block says; empty where nothing does."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(block) + "\n")
        self._process.stdin.flush()
        answer: Any = json.loads(self._process.stdout.readline())
        return str(answer)

    def close(self) -> None:
        self._process.communicate(timeout=30)


def environment(folder: Path, commands: Path) -> dict[str, str]:
    """The user's, without settings of this package, and with folders of its own.

    Args:
        folder: Where the reader works.
        commands: Where ``bnnkg`` is.
    """
    kept = {"BNNKG_CACHE", "BNNKG_NEO4J_HOME"}
    inherited = {n: v for n, v in os.environ.items() if n in kept or not n.startswith("BNNKG_")}
    return inherited | {
        "PATH": os.pathsep.join(
            map(str, [commands, Path(sys.executable).parent, os.environ["PATH"]])
        ),
        "XDG_CONFIG_HOME": str(folder / ".config"),
        "XDG_DATA_HOME": str(folder / ".data"),
        "BNNKG_IDLE_SECONDS": "120",
    }
