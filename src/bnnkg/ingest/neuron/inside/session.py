"""One session: load a model, stop at its first time step, capture what NEURON holds."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from .interpreter import Interpreter
from .job import Job, doubts, read_job
from .support import Support

MAX_STDERR_BYTES = 64 * 1024
MAX_REASON = 3000
MAX_LISTED = 200


class Session:
    """A load and how it ended.

    Args:
        neuron: NEURON's interpreter.
        job: What to load.
        support: The support library.
    """

    def __init__(self, neuron: Interpreter, job: Job, support: Support) -> None:
        self.neuron = neuron
        self.job = job
        self.support = support
        self._ended = False
        self._held: dict[str, Any] = {}

    def stop_at_first_step(self) -> None:
        """Called where time would advance first; does not return."""
        self.end("first step", None)

    def run(self) -> None:
        """Loads the model; what it raises is how the load ended."""
        from .entries import load

        try:
            self._held = load(self.neuron.h, self.job)
        except SystemExit:
            self.end("exit", None)
        except BaseException as error:
            self.end(*self._how(error))
        self.end("end of load", None)

    def _how(self, error: BaseException) -> tuple[str, str | None]:
        text = self._error_text()
        if self.support.quit_was_called():
            return "exit", None
        if isinstance(error, KeyboardInterrupt) or "interrupt" in text.lower():
            return "error", "the time for a load was up"
        if type(error).__name__ == "HocError":
            return "error", text or str(error)
        frame = traceback.extract_tb(error.__traceback__)[-1:]
        where = f" ({Path(frame[0].filename).name}:{frame[0].lineno})" if frame else ""
        told = f"{type(error).__name__}: {error}{where}"
        return "error", f"{told}\n{text}".strip() if isinstance(error, RuntimeError) else told

    def _error_text(self) -> str:
        """What hoc said last of an error."""
        sys.stderr.flush()
        with (Path(self.job.out) / "stderr.txt").open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - MAX_STDERR_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
        starts = [i for i, line in enumerate(lines) if line.startswith(("NEURON:", "nrniv:"))]
        return "\n".join(lines[starts[-1] : starts[-1] + 4])[:MAX_REASON] if starts else ""

    def end(self, stopped: str, error: str | None) -> None:
        """Captures, tells the result, ends the process."""
        if self._ended:
            return
        self._ended = True
        self.support.no_more_interrupts()
        result: dict[str, Any] = {"stopped": stopped, "error": error}
        try:
            from .capturing import capture

            result |= capture(self.neuron, self.job, self.support, stopped, error)
        except Exception:
            result["capture_error"] = traceback.format_exc()[-MAX_REASON:]
        self._tell(result)

    def _tell(self, result: dict[str, Any]) -> None:
        result |= {
            "fallbacks": self.job.fallbacks,
            "doubts": doubts(self.job, self.support),
            "buttons": self.support.buttons()[:MAX_LISTED],
        }
        (Path(self.job.out) / "result.json").write_text(json.dumps(result), encoding="utf-8")
        sys.stdout.flush()
        os._exit(0)


def main(path: Path) -> None:
    """Runs the session that a job file describes."""
    job = read_job(path)
    out = Path(job.out)
    errors = os.open(out / "stderr.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(errors, 2)
    os.chdir(job.folder)
    support = Support(job.support, out / "buttons.txt")
    from .repairs import repair_paths

    job.fallbacks.extend(repair_paths(Path(job.root), Path(job.folder)))
    from neuron import h

    if job.table is not None:
        support.use_table(job.table)
    h.nrn_load_dll(job.support)
    if job.native is not None:
        h.nrn_load_dll(job.native)
    h.load_file("nrngui.hoc")
    support.guard()
    session = Session(Interpreter(h), job, support)
    support.at_first_step(session.stop_at_first_step)
    support.interrupt_after(job.cpu_s, job.wall_s)
    session.run()
