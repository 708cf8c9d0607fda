"""The support library (support.c) as seen from Python."""

from __future__ import annotations

import ctypes
import signal
from collections.abc import Callable
from pathlib import Path

N_GUARDED = 5
N_ADVANCING = 5


class Support:
    """Stub mechanisms, guards on built-ins of hoc, and the clock of a session.

    Args:
        library: The compiled support library.
        buttons: File that the buttons of the model are written to, a line each.
    """

    def __init__(self, library: str, buttons: Path) -> None:
        self._path = library
        self._buttons = buttons
        self._library = ctypes.CDLL(library)
        self._library.bnnkg_call_name.restype = ctypes.c_char_p

    def use_table(self, table: str) -> None:
        """Names the declarations that are registered when NEURON loads the library."""
        self._library.bnnkg_use_table(table.encode())

    def guard(self) -> None:
        """Replaces ``quit``, ``nrn_load_dll``, ``xbutton``, ``fcurrent`` and what counts views."""
        if self._library.bnnkg_guard(str(self._buttons).encode()) != N_GUARDED:
            raise RuntimeError("a built-in of hoc could not be replaced")

    def at_first_step(self, callback: Callable[[], None]) -> None:
        """Has everything that advances time call back instead."""
        self._callback = ctypes.CFUNCTYPE(None)(callback)
        if self._library.bnnkg_at_first_step(self._callback) != N_ADVANCING:
            raise RuntimeError("a function of NEURON that advances time could not be replaced")

    def quit_was_called(self) -> bool:
        """Whether the model called ``quit()``."""
        return bool(self._library.bnnkg_quit_was_called())

    def called(self) -> list[str]:
        """Functions of stubbed mods that the model called, sorted."""
        names = map(self._library.bnnkg_call_name, range(self._library.bnnkg_n_calls()))
        return sorted({name.decode("latin-1") for name in names if name})

    def computed_currents(self) -> bool:
        """Whether the model called ``fcurrent()``, whose currents are zero in stubs."""
        return bool(self._library.bnnkg_n_fcurrent())

    def buttons(self) -> list[list[str]]:
        """Label and statement of each button that was made."""
        try:
            lines = self._buttons.read_text(encoding="latin-1").splitlines()
        except OSError:
            return []
        return [line.split("\t", 1) for line in lines if "\t" in line]

    def transfer(self) -> bool:
        """Carries values over ParallelContext transfers; False where there are none."""
        return bool(self._library.bnnkg_transfer())

    def interrupt_after(self, cpu_s: float, wall_s: float) -> None:
        """Stops hoc and Python code after some time, as Ctrl-C would."""
        interrupt = ctypes.cast(ctypes.pythonapi.PyErr_SetInterrupt, ctypes.c_void_p)
        for number, timer, seconds in (
            (signal.SIGPROF, signal.ITIMER_PROF, cpu_s),
            (signal.SIGALRM, signal.ITIMER_REAL, wall_s),
        ):
            self._library.bnnkg_interrupt_on(int(number), interrupt)
            signal.setitimer(timer, seconds)

    @staticmethod
    def no_more_interrupts() -> None:
        """Lets the capture run to its end."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
