"""What a database folder needs before Neo4j is started in it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

from bnnkg.errors import ServerError
from bnnkg.store.server.archives import JAVA_OPTIONS, base_options
from bnnkg.store.server.home import write_atomically
from bnnkg.store.server.reasons import known_reason, last_lines

if TYPE_CHECKING:
    from bnnkg.store.server.home import HomeFolder
    from bnnkg.store.server.jars import Distribution

LOOPBACK = "127.0.0.1"

_CONFIGURATION = """\
# Written by bnnkg before each start: changes made here are lost.
server.default_listen_address={host}
server.default_advertised_address={host}
server.bolt.listen_address={host}:{bolt}
server.bolt.advertised_address={host}:{bolt}
server.http.listen_address={host}:{http}
server.http.advertised_address={host}:{http}
server.memory.heap.max_size=1g
server.memory.pagecache.size=256m
dbms.security.allow_csv_import_from_file_urls=false
dbms.usage_report.enabled=false
client.allow_telemetry=false
db.tx_log.preallocate=false
db.tx_log.rotation.size=64m
db.tx_log.rotation.retention_policy=keep_none
db.logs.query.enabled=OFF
# Bolt waits twice this long for late messages before it stops.
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
"""

# Diagnostics in two files of 2 MB at most; what is for the user in one that each start empties.
_SERVER_LOGS = """\
<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR">
  <Appenders>
    <RollingRandomAccessFile name="Debug" fileName="${config:server.directories.logs}/debug.log"
        filePattern="$${config:server.directories.logs}/debug.log.%i">
      <PatternLayout pattern="%d{yyyy-MM-dd HH:mm:ss.SSSZ}{GMT+0} %-5p [%c{1.}] %m%n"/>
      <Policies><SizeBasedTriggeringPolicy size="2 MB"/></Policies>
      <DefaultRolloverStrategy fileIndex="min" max="1"/>
    </RollingRandomAccessFile>
  </Appenders>
  <Loggers><Root level="INFO"><AppenderRef ref="Debug"/></Root></Loggers>
</Configuration>
"""
_USER_LOGS = """\
<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR">
  <Appenders>
    <File name="User" fileName="${config:server.directories.logs}/neo4j.log" append="false">
      <PatternLayout pattern="%d{yyyy-MM-dd HH:mm:ss.SSSZ}{GMT+0} %-5p %m%n"/>
    </File>
  </Appenders>
  <Loggers><Root level="INFO"><AppenderRef ref="User"/></Root></Loggers>
</Configuration>
"""


def choose_ports(home: HomeFolder) -> tuple[int, int]:
    """Chooses the ports of Bolt and HTTP: those of the last start if they are free.

    A browser keeps what the Neo4j Browser saved by its address, so the address should last.

    Raises:
        ServerError: There is no free port.
    """
    wanted = [*_last_ports(home), 0, 0][:2]
    with socket.socket() as bolt, socket.socket() as http:
        for listener, port in zip((bolt, http), wanted, strict=True):
            _bind(listener, port)
        return bolt.getsockname()[1], http.getsockname()[1]


def _last_ports(home: HomeFolder) -> list[int]:
    try:
        text = home.conf.joinpath("neo4j.conf").read_text()
    except FileNotFoundError:
        return []
    return [int(port) for port in re.findall(r"^server\..*\.listen_address=.*:(\d+)$", text, re.M)]


def forget_ports(home: HomeFolder) -> None:
    """Makes the next choice of ports a new one: those of the last were taken after all."""
    home.conf.joinpath("neo4j.conf").unlink(missing_ok=True)


def _bind(listener: socket.socket, port: int) -> None:
    # As Java does: a port is not taken by what is left of closed connections.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen()
    except OSError as error:
        if port:
            _bind(listener, 0)
            return
        raise ServerError(
            f"no port is free on {LOOPBACK}",
            found=error.strerror,
            hint="stop what holds so many connections, then try again",
        ) from error


def write_configuration(home: HomeFolder, bolt: int, http: int) -> None:
    """Writes neo4j.conf and what is logged where; only the holder of the lock may call it."""
    home.conf.mkdir(exist_ok=True)
    home.logs.mkdir(exist_ok=True)
    write_atomically(home.conf / "server-logs.xml", _SERVER_LOGS)
    write_atomically(home.conf / "user-logs.xml", _USER_LOGS)
    text = _CONFIGURATION.format(host=LOOPBACK, bolt=bolt, http=http)
    write_atomically(home.conf / "neo4j.conf", text)


def set_password(home: HomeFolder, distribution: Distribution) -> None:
    """Makes a random password for a new database; does nothing for one that was started before.

    Raises:
        ServerError: neo4j-admin fails, or an existing database has no password file.
    """
    if home.data.joinpath("databases", "system").exists():
        if not home.password.exists():
            raise ServerError(
                "the database has a password, but its file is gone",
                where=str(home.password),
                hint="put the password of the user neo4j there, or name another folder with --db",
            )
        return
    # What a kill left of an earlier attempt is not trusted.
    shutil.rmtree(home.data / "dbms", ignore_errors=True)
    write_atomically(home.password, secrets.token_hex(16), mode=0o600)
    # The @ makes neo4j-admin read the argument from the file: it is never on a command line.
    done = _run_admin(home, distribution, "dbms", "set-initial-password", f"@{home.password}")
    if done.returncode != 0:
        output = done.stdout + done.stderr
        raise known_reason(home, distribution.version, output) or ServerError(
            "neo4j-admin cannot set the first password",
            where=str(home.root),
            found=last_lines(output),
        )


def admin_command(home: HomeFolder, distribution: Distribution, *arguments: str) -> list[str]:
    """Builds the command line of neo4j-admin; run it with `java_environment(home)`."""
    return [
        str(distribution.java),
        *JAVA_OPTIONS,
        *base_options(distribution),
        f"-Dbasedir={home.root}",
        "-cp",
        distribution.class_path,
        "org.neo4j.cli.AdminTool",
        *arguments,
    ]


def _run_admin(
    home: HomeFolder, distribution: Distribution, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        admin_command(home, distribution, *arguments),
        env=java_environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def server_command(
    home: HomeFolder, distribution: Distribution, options: tuple[str, ...]
) -> list[str]:
    """Builds the command line of the server."""
    return [
        str(distribution.java),
        "-Xmx1g",
        *JAVA_OPTIONS,
        *options,
        "-cp",
        distribution.class_path,
        distribution.main_class,
        f"--home-dir={home.root}",
        f"--config-dir={home.conf}",
    ]


def java_environment(home: HomeFolder) -> dict[str, str]:
    """The environment of Java: the user's, without what would change how Java runs."""
    dropped = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith(("BNNKG_", "NEO4J_"))
    }
    return kept | {"NEO4J_HOME": str(home.root), "NEO4J_CONF": str(home.conf)}
