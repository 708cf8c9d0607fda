"""When somebody last spoke to the server."""

from __future__ import annotations

from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENING, _CLOSED_LATELY = "0A", "06"
# Linux keeps a closed connection in its tables for a minute and counts down in hundredths.
_KEPT_S, _TICKS_PER_S = 60.0, 100.0


def seconds_since_last(ports: list[int], pid: int) -> float:
    """Tells how long ago a client was connected to one of these ports of the loopback.

    On Linux a connection that came and went between two looks is seen too, in what the kernel
    keeps of closed ones.

    Args:
        ports: The ports that the server listens on.
        pid: The server's process, which is asked where there is no /proc.

    Returns:
        Seconds; 0 while one is connected, infinity where there is no trace of any.
    """
    tables = [table for table in _TABLES if table.exists()]
    if not tables:
        return _seconds_by_psutil(ports, pid)
    lines = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return min((_age(fields) for fields in lines if _concerns(fields, ports)), default=float("inf"))


def _concerns(fields: list[str], ports: list[int]) -> bool:
    if fields[3] == _LISTENING:
        return False
    ends = (fields[1], fields[2]) if fields[3] == _CLOSED_LATELY else (fields[1],)
    return any(int(end.rpartition(":")[2], 16) in ports for end in ends)


def _age(fields: list[str]) -> float:
    if fields[3] != _CLOSED_LATELY:
        return 0.0
    remaining_s = int(fields[5].rpartition(":")[2], 16) / _TICKS_PER_S
    return max(0.0, _KEPT_S - remaining_s)


def _seconds_by_psutil(ports: list[int], pid: int) -> float:
    import psutil

    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return float("inf")
    open_ones = (c for c in connections if c.status != psutil.CONN_LISTEN)
    return 0.0 if any(c.laddr.port in ports for c in open_ones) else float("inf")
