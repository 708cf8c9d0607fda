"""Writes the pages of documentation that follow from the code: ``python docs/generate.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from bnnkg.cli import app
from bnnkg.ingest.classes import classes_markdown
from bnnkg.queries import render_reference
from bnnkg.schema.render import schema_markdown
from bnnkg.settings import FILE_NAME, SETTINGS

DOCS = Path(__file__).parent


def pages() -> dict[Path, str]:
    """Every generated page by its file."""
    return {
        DOCS / "schema.md": schema_markdown(),
        DOCS / "reference" / "cli.md": cli_markdown(),
        DOCS / "reference" / "queries.md": render_reference(),
        DOCS / "reference" / "neuroml.md": classes_markdown(),
        DOCS / "reference" / "settings.md": settings_markdown(),
    }


def cli_markdown() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(app)
    parts = [
        "# Command line",
        "Generated from `bnnkg.cli` by `make docs`; do not edit.",
        str(root.help),
        _fenced(root.epilog),
        "Every command takes these, before or after its name:",
        "\n".join(_options(root, but={"version"})),
    ]
    shared = {param.name for param in root.params}
    for path, command in _commands("bnnkg", root):
        parts += [f"## {path}", str(command.help)]
        parts += [f"`{_usage(path, command)}`"]
        parts += ["\n".join(_options(command, but=shared))]
        parts += [_fenced(command.epilog)]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def settings_markdown() -> str:
    """Every setting with its names and its default."""
    rows = [
        f"| {setting.meaning} | `{setting.variable}` | "
        f"{f'`{setting.name}`' if setting.in_file else 'not there'} | {setting.default} |"
        for setting in SETTINGS.values()
    ]
    parts = [
        "# Settings",
        "Generated from `bnnkg.settings` by `make docs`; do not edit.",
        "A flag (`--db`) goes before the environment, the environment before the file. The file is "
        f"`{FILE_NAME}` in the working folder, or else in the user's configuration folder; paths "
        "in it are relative to it, and a key that it does not know is an error. `bnnkg doctor` "
        "shows every value and where it came from.",
        "\n".join(["| what | environment | file | default |", "| --- | --- | --- | --- |", *rows]),
    ]
    return "\n\n".join(parts) + "\n"


def _commands(path: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from _commands(f"{path} {name}", command)


def _usage(path: str, command: Any) -> str:
    arguments = [
        _argument(param) for param in command.params if param.param_type_name == "argument"
    ]
    return " ".join([path, *arguments])


def _argument(param: Any) -> str:
    name = (param.metavar or param.name.upper()) + ("..." if param.nargs == -1 else "")
    return name if param.required else f"[{name}]"


def _options(command: Any, *, but: set[str] = frozenset()) -> Iterator[str]:
    for param in command.params:
        if param.name in but or "completion" in param.name:
            continue
        if param.param_type_name == "argument":
            yield f"- `{param.metavar or param.name.upper()}`: {param.help}"
        else:
            value = "" if param.is_flag else f" {param.metavar or param.name.upper()}"
            yield f"- `{', '.join(param.opts)}{value}`: {param.help}{_default(param)}"


def _default(param: Any) -> str:
    is_told = param.default not in (None, False, "", [], ())
    return f" Default: {param.default}." if is_told and not callable(param.default) else ""


def _fenced(text: str | None) -> str:
    """Text of a help page as it stands there: paragraphs marked to keep their lines."""
    if not text:
        return ""
    return "```text\n" + text.replace("\b\n", "").strip() + "\n```"


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
