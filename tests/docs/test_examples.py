"""Every example of the documentation does what the page says."""

from __future__ import annotations

import doctest
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pages import Command, Example, Interpreter, Shell, commands, environment, examples

from bnnkg.queries import parse_query
from bnnkg.store.server import stop

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
GENERATED = {ROOT / "docs" / "schema.md", *(ROOT / "docs" / "reference").glob("*.md")}
README = ROOT / "README.md"
PAGES = sorted({*(ROOT / "docs").rglob("*.md")} - GENERATED - {TUTORIAL})
RUN_OF_README = re.compile(r"bnnkg (query|cypher|models)\b")
"""What its other commands do, the tutorial does too."""
LINK = re.compile(r"\]\((?!https?://)([^)#\s]+)")
_NUMBER = re.compile(r"\S*\d\S*")
ELSEWHERE = "bolt://graph.example.org:7687"
"""The database of others that pages speak of: here, the local one by its address."""


@dataclass
class Reader:
    """Somebody who follows the pages in a folder that holds what docs/examples holds."""

    folder: Path
    environment: dict[str, str]

    def follow(self, page: Path) -> list[str]:
        """Runs all examples of a page; returns what is otherwise than it says."""
        differences: list[str] = []
        blocks = list(examples(page.read_text(encoding="utf-8")))
        shell = Shell(self.folder, self.environment)
        python = Interpreter(self.folder, self.environment) if _speaks(blocks, "python") else None
        for block in blocks:
            where = f"{page.relative_to(ROOT)}:{block.line}"
            if block.language == "python" and python is not None:
                found = python.run(block.text)
            elif block.language == "cypher":
                found = self._ask(shell, block.text)
            else:
                found = self._type_all(shell, block)
            differences += [f"{where}\n{found}"] if found else []
        shell.close()
        if python is not None:
            python.close()
        return differences

    def _type_all(self, shell: Shell, block: Example) -> str:
        typed = list(commands(block.text))
        following = [command.text for command in typed[1:]] + [""]
        agree = _have_one_form if block.varies else _agree
        told = [self._type(shell, *pair, agree) for pair in zip(typed, following, strict=True)]
        return "\n".join(text for text in told if text)

    def _type(
        self, shell: Shell, command: Command, following: str, agree: Callable[[str, str], bool]
    ) -> str:
        """Types a command; it may fail where the page shows its error or asks for its code."""
        printed, code = shell.run(self._here(command.text))
        is_right = command.expected is None or agree(
            self._here(command.expected), printed.strip("\n")
        )
        may_fail = following == "echo $?" or "error: " in (command.expected or "")
        if is_right and (may_fail or not code):
            return ""
        says = f"the page says:\n{command.expected}\nit printed, with code {code}:\n{printed}"
        return f"$ {command.text}\n{says}"

    def _ask(self, shell: Shell, text: str) -> str:
        """A query of the library with its header, or any other; each must find something."""
        given = ""
        if text.startswith("//"):
            query = parse_query(text, name="example", group="contents", where="page")
            given = "".join(f" --param {p.name}={p.default}" for p in query.parameters)
        printed, code = shell.run(f"bnnkg cypher --quiet {shlex.quote(text)}{given}")
        return printed if code or printed.strip() == "no rows" else ""

    def _here(self, text: str) -> str:
        if ELSEWHERE not in text:
            return text
        record = self.folder / "bnnkg.db" / "server.json"
        return text.replace(ELSEWHERE, json.loads(record.read_text())["uri"])


def _speaks(blocks: list[Example], language: str) -> bool:
    return any(block.language == language for block in blocks)


def _agree(expected: str, printed: str) -> bool:
    """The same words, whatever the space between them; ``...`` stands for anything."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(expected + "\n", printed + "\n", options)


def _have_one_form(expected: str, printed: str) -> bool:
    """As many lines, and the same first words in the first: columns, where it is a table."""
    lines = [text.splitlines() for text in (expected, printed)]
    first = [[_NUMBER.sub("#", word) for word in text[0].split()] for text in lines if text]
    return len(lines[0]) == len(lines[1]) and first[0] == first[1]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, warm_folder: Path) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "docs" / "examples", folder, dirs_exist_ok=True)
    yield Reader(folder, environment(folder, warm_folder))
    stop(folder / "bnnkg.db", wait=True)


@pytest.fixture(scope="module")
def tutorial(reader: Reader) -> list[str]:
    """What differs in the tutorial, whose graph the other pages go on with."""
    return reader.follow(TUTORIAL)


def test_the_tutorial_does_what_it_says(tutorial: list[str]) -> None:
    assert not tutorial, "\n\n".join(tutorial)


def _param(page: Path) -> object:
    """A page; one of several trainings takes as long as all others."""
    marks = [pytest.mark.slow] if page.name == "several-runs.md" else []
    return pytest.param(page, marks=marks, id=str(page.relative_to(ROOT)))


@pytest.mark.parametrize(
    "page",
    [_param(page) for page in PAGES if any(examples(page.read_text(encoding="utf-8")))],
)
def test_a_page_does_what_it_says(page: Path, reader: Reader, tutorial: list[str]) -> None:
    differences = reader.follow(page)
    assert not differences, "\n\n".join(differences)


def test_the_readme_asks_what_can_be_asked(reader: Reader, tutorial: list[str]) -> None:
    """Its questions are of the worm; here they are asked of the tutorial's circuit."""
    shell = Shell(reader.folder, reader.environment)
    blocks = [b for b in examples(README.read_text(encoding="utf-8")) if b.language == "console"]
    asked = [c.text for b in blocks for c in commands(b.text) if RUN_OF_README.match(c.text)]
    assert asked
    failed = [text for text in asked if shell.run(text.replace("=c302", "=circuit"))[1]]
    shell.close()
    assert failed == []


@pytest.mark.parametrize(
    "page", [README, TUTORIAL, *PAGES], ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
