"""The processes of a sandbox, counted from outside.

All of them descend from the first process of their pid namespace, whatever they do: one that
loses its parent is adopted by the first, and when the first dies the kernel kills the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import psutil

from bnnkg.sandbox.limits import Breach, Limits

SPARE_BYTES = 256 * 2**20


@dataclass
class Census:
    """Watches the processes of a sandbox.

    Attributes:
        limits: What they may use.
        cpu_s: CPU time so far.
        peak_memory_bytes: Largest sum of memory seen.
        peak_processes: Largest number of processes and threads seen.
        pids: Processes of the last look.
    """

    limits: Limits
    cpu_s: float = 0.0
    peak_memory_bytes: int = 0
    peak_processes: int = 0
    pids: tuple[int, ...] = ()
    _seen_cpu_s: dict[tuple[int, float], float] = field(default_factory=dict)
    # What no process maps (pipes, buffers) still takes memory: leave some to others.
    _spare_bytes: int = field(
        default_factory=lambda: min(SPARE_BYTES, psutil.virtual_memory().available // 4)
    )

    def look(self, first: int) -> Breach | None:
        """Counts the processes below the sandbox's first one, and tells the limit they exceed."""
        try:
            root = psutil.Process(first)
            processes = root.children(recursive=True)
        except psutil.NoSuchProcess:
            return None
        self.pids = tuple(process.pid for process in processes)
        self._count(processes)
        self._clock([root, *processes])
        self._weigh(processes)
        return self._breach()

    def _count(self, processes: list[psutil.Process]) -> None:
        n_tasks = sum(_n_threads(process) for process in processes)
        self.peak_processes = max(self.peak_processes, n_tasks)

    def _clock(self, processes: list[psutil.Process]) -> None:
        """CPU time, of which each of two sums is a lower bound.

        What living processes used with the children they waited for misses children that nobody
        waited for; what every process had used when last seen misses those too brief to be seen.
        """
        with_children = 0.0
        for process in processes:
            try:
                times = process.cpu_times()
                key = (process.pid, process.create_time())
            except psutil.NoSuchProcess:
                continue
            own = times.user + times.system
            self._seen_cpu_s[key] = own
            with_children += own + times.children_user + times.children_system
        self.cpu_s = max(self.cpu_s, with_children, sum(self._seen_cpu_s.values()))

    def _weigh(self, processes: list[psutil.Process]) -> None:
        """Memory: the exact sum only where the cheap one, with pages counted twice, is a peak."""
        if sum(_resident_bytes(process) for process in processes) > self.peak_memory_bytes:
            n_bytes = sum(_proportional_bytes(process) for process in processes)
            self.peak_memory_bytes = max(self.peak_memory_bytes, n_bytes)

    def _breach(self) -> Breach | None:
        limits = self.limits
        if self.peak_memory_bytes > limits.memory_bytes:
            return Breach("memory", f"its processes held {self.peak_memory_bytes:,} bytes of "
                                    f"memory, of {limits.memory_bytes:,} allowed")  # fmt: skip
        if psutil.virtual_memory().available < self._spare_bytes:
            return Breach("memory", f"fewer than {self._spare_bytes:,} bytes of the machine's "
                                    "memory were left")  # fmt: skip
        if self.peak_processes > limits.n_processes:
            return Breach("processes", f"it had {self.peak_processes:,} processes and threads, of "
                                       f"{limits.n_processes:,} allowed")  # fmt: skip
        if self.cpu_s > limits.cpu_s:
            return Breach("cpu", f"it used {self.cpu_s:.1f} s of CPU time, of "
                                 f"{limits.cpu_s:g} allowed")  # fmt: skip
        return None


def _n_threads(process: psutil.Process) -> int:
    try:
        return process.num_threads()
    except psutil.NoSuchProcess:
        return 0


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _proportional_bytes(process: psutil.Process) -> int:
    """Memory and swap, a shared page divided among those that share it."""
    try:
        memory = process.memory_full_info()
        return memory.pss + memory.swap
    except psutil.NoSuchProcess:
        return 0
    except psutil.AccessDenied:
        return _resident_bytes(process)
