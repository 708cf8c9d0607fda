"""What is kept of a stream that may never end."""

from __future__ import annotations


class KeptOutput:
    """The start and the end of a stream, within a bound; the middle is dropped and counted.

    Args:
        max_bytes: What is kept, half of it of the start and half of the end.
    """

    def __init__(self, max_bytes: int) -> None:
        self._half = max_bytes // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._n_bytes = 0

    def add(self, chunk: bytes) -> None:
        """Takes the next piece of the stream."""
        self._n_bytes += len(chunk)
        room = self._half - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        del self._tail[: max(0, len(self._tail) - self._half)]

    @property
    def n_dropped(self) -> int:
        """Bytes that are not kept."""
        return self._n_bytes - len(self._head) - len(self._tail)

    def text(self) -> str:
        """What is kept, the gap marked where there is one."""
        if not self.n_dropped:
            return (self._head + self._tail).decode("utf-8", "replace")
        head, tail = (part.decode("utf-8", "replace") for part in (self._head, self._tail))
        return f"{head}\n... {self.n_dropped:,} bytes dropped ...\n{tail}"
