"""The command ``bnnkg`` in forks of one process that has imported what its rooms import.

Imports are most of what a short command costs, and the suite runs hundreds. A fork is still a
process of its own: with the arguments, environment, folder and streams of who typed it, an exit
code of its own, and nothing left over from the command before.

``python warm_command.py serve SOCKET`` waits until its input ends; ``... ask SOCKET WORD...`` is
what ``bnnkg`` does in the folder of commands.py.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path

IMPORTED = (
    "bnnkg.cli", "bnnkg.catalogue", "bnnkg.queries", "bnnkg.store", "bnnkg.ingest",
    "bnnkg.workflows.annotation", "bnnkg.workflows.comparison", "bnnkg.workflows.exporting",
    "bnnkg.workflows.ingestion", "bnnkg.workflows.listing", "bnnkg.workflows.training",
    "bnnkg.gnn.native", "bnnkg.gnn.targets", "lxml.etree", "neo4j", "neuroml", "pandas",
    "torch",
)  # fmt: skip


def ask(address: str, words: list[str]) -> int:
    """Has a command run with the streams, folder and environment of this process."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        socket.send_fds(server, [b"0"], [0, 1, 2])
        told = {"words": words, "folder": str(Path.cwd()), "environment": dict(os.environ)}
        server.sendall(json.dumps(told).encode() + b"\n")
        code = int(server.recv(16) or b"-9")
    return code if code >= 0 else 128 - code


def serve(address: str) -> None:
    """Returns in forks only: as the process that shall run the command, in ``sys.argv``."""
    import gc
    import importlib
    import selectors
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # who asks for errors sees them where a test imports
        for name in IMPORTED:
            importlib.import_module(name)
    gc.freeze()  # a collection in a fork would touch, and so copy, all of it
    waiting: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector, socket.socket(socket.AF_UNIX) as server:
        woken, waker = socket.socketpair()
        waker.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno())
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        for source in (server, woken, 0):
            selector.register(source, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if woken.fileno() in ready:
                woken.recv(64)
                _tell_codes(waiting)
            if 0 in ready:
                _end(0)
            if server.fileno() in ready:
                asker, _ = server.accept()
                _, streams, _, _ = socket.recv_fds(asker, 1, 3)
                with asker.makefile() as lines:
                    told = json.loads(lines.readline())
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    _become(streams, told)
                    return
                waiting[pid] = asker
                for stream in streams:
                    os.close(stream)


def _tell_codes(waiting: dict[int, socket.socket]) -> None:
    """Tells those whose command has ended how it did."""
    for pid in list(waiting):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with waiting.pop(pid) as asker, contextlib.suppress(OSError):
                asker.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _become(streams: list[int], told: dict[str, object]) -> None:
    for ours, theirs in enumerate(streams):
        os.dup2(theirs, ours)
        os.close(theirs)
    os.chdir(str(told["folder"]))
    os.environ.clear()
    os.environ.update(told["environment"])  # type: ignore[call-overload]
    sys.argv = ["bnnkg", *told["words"]]  # type: ignore[misc]


def _end(code: int) -> None:
    """As Python ends, but for taking apart what was imported, which would be copied for it."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    action, address, *words = sys.argv[1:]
    if action == "ask":
        sys.exit(ask(address, words))
    serve(address)
    from bnnkg.cli import main

    try:
        main()
    except SystemExit as end:
        _end(end.code if isinstance(end.code, int) else int(end.code is not None))
