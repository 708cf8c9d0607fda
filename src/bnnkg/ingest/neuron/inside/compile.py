"""Compiles the mods of a model within the sandbox: ``python compile.py JOB.json``.

Every mod is translated and compiled by itself, so that one that does not compile costs no other;
``result.json`` tells which and why.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

REGISTRATION = """
{declarations}
void modl_reg(void) {{
{calls}
}}
"""


def main(path: Path) -> None:
    """Compiles what a job names."""
    job = json.loads(path.read_text(encoding="utf-8"))
    out, notes, built = Path(job["out"]), [], {}
    for mod in job["mods"]:
        name, reason = build(Path(job["folder"]) / mod, job, out)
        if reason:
            notes.append(f"{mod}: {reason}")
        elif name in built:
            notes.append(f"{mod}: another mod has the same file name")
        else:
            built[name] = out / f"{name}.o"
    reason = link(built, job, out)
    if reason:
        notes.append(reason)
    (out / "result.json").write_text(json.dumps(notes), encoding="utf-8")


def build(mod: Path, job: dict[str, Any], out: Path) -> tuple[str, str]:
    """Translates and compiles one mod; its name in C, and what went wrong."""
    name = re.sub(r"\W", "", mod.stem)
    if (out / f"{name}.o").exists():
        return name, ""
    translated = call([f"{job['data']}/bin/nocmodl", mod.name, "-o", str(out)], mod.parent)
    source = out / f"{mod.stem}.c"
    if translated or not source.exists():
        return name, translated or "nocmodl left nothing"
    target = ["-c", str(source), "-o", str(out / f"{name}.o")]
    return name, call([*job["compile"], f"-I{mod.parent}", *target], out)


def link(built: dict[str, Path], job: dict[str, Any], out: Path) -> str:
    """Makes the library of the mods that compiled; what went wrong."""
    declarations = "\n".join(f"void _{name}_reg(void);" for name in built)
    calls = "\n".join(f"    _{name}_reg();" for name in built)
    registration = out / "registration.c"
    registration.write_text(REGISTRATION.format(declarations=declarations, calls=calls))
    objects = [str(path) for path in built.values()]
    target = [str(registration), *objects, "-o", str(out / "mods.so")]
    return call([*job["compile"], *target, *job["link"]], out)


def call(command: list[str], folder: Path) -> str:
    """Runs a program; empty where it succeeds, else the end of what it said."""
    ended = subprocess.run(  # noqa: S603
        command, cwd=folder, capture_output=True, text=True, errors="replace", check=False
    )
    said = (ended.stderr.strip() or ended.stdout.strip())[-300:]
    return (said or "it failed without a word") if ended.returncode else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
