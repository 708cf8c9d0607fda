"""Attacks that reach for what is outside: files, network, processes, the kernel."""

import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bnnkg.errors import SandboxError
from bnnkg.sandbox import Limits, interpreter_paths, read_file, run

OUTSIDE_ID = 1_900_000_001
NAMESPACES = ("user", "pid", "net", "ipc", "uts", "mnt", "cgroup")


def test_a_shell_started_by_python_stays_inside(attack, outside):
    outcome = attack("sys.exit(os.waitstatus_to_exitcode(os.system(f'echo x > {outside}/x')))")
    assert outcome.status == "failed"
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


@pytest.mark.parametrize("folder", ["/", "/etc", "/usr/local", "/tmp", "/var/tmp", "/dev", "/root",
                                    "/home", "/run", "{outside}"])  # fmt: skip
def test_nothing_is_written_outside(attack, folder, mark, outside):
    path = Path(folder.format(outside=outside)) / mark
    outcome = attack(f"open('{path}', 'w')")
    assert outcome.status == "failed"
    assert not os.path.lexists(path)


@pytest.mark.parametrize("path", ["{outside}/secret", "/etc/shadow", "/etc/ssh", "/etc/hostname",
                                  "/run", "/var", "/sys", "/boot", "/proc/1/environ",
                                  "/proc/1/root/etc/shadow", "/dev/mem", "/dev/kmsg"])  # fmt: skip
def test_files_of_others_are_not_read(attack, path, outside):
    path = path.format(outside=outside)
    outcome = attack(f"""
        try:
            print(os.listdir({path!r}))
        except NotADirectoryError:
            print(open({path!r}, 'rb').read(1))
        """)
    expected = ("FileNotFoundError", "PermissionError")
    if path == "/proc/1/environ":  # of the sandbox's own first process
        assert "hidden treasure" not in outcome.stdout
    else:
        assert outcome.stdout == ""
        assert outcome.stderr.splitlines()[-1].startswith(expected)


def test_of_the_home_folder_only_the_way_to_what_is_given_is_seen(attack, work):
    home = Path.home()
    given = [path for path in (*interpreter_paths(), work) if home in path.parents]
    known = {path.relative_to(home).parts[0] for path in given}
    outcome = attack(f"print(os.path.exists({str(home)!r}) and os.listdir({str(home)!r}))")
    assert outcome.stdout.strip() in {str(sorted(known)), "False"}


def test_the_environment_of_the_caller_is_nowhere(attack, monkeypatch):
    monkeypatch.setenv("BNNKG_TEST_SECRET", "hidden treasure")
    outcome = attack("""
        import glob
        for path in glob.glob('/proc/*/environ') + glob.glob('/proc/*/cmdline'):
            try:
                print(open(path, 'rb').read())
            except OSError:
                pass
        print(dict(os.environ))
        """)
    assert outcome.status == "done"
    assert "BNNKG_TEST_SECRET" not in outcome.stdout


def test_no_descriptor_is_inherited(attack, outside):
    with (outside / "secret").open() as held:
        os.set_inheritable(held.fileno(), True)
        outcome = attack("""
            for number in os.listdir('/proc/self/fd'):
                try:
                    print(number, os.readlink('/proc/self/fd/' + number).split(':')[0])
                except FileNotFoundError:
                    pass
            """)
    assert outcome.stdout.split() == ["0", "/dev/null", "1", "pipe", "2", "pipe"]


def test_links_that_it_plants_lead_nobody_out(attack, work, outside):
    before = (outside.stat().st_uid, (outside / "secret").stat().st_uid)
    planted = attack("""
        os.symlink(outside + '/secret', work + '/file')
        os.symlink(outside, work + '/folder')
        os.symlink('/usr', work + '/large')
        for name in ('.home', '.tmp'):
            os.rmdir(work + '/' + name)
            os.symlink(outside, work + '/' + name)
        """)
    assert planted.status == "done", planted.stderr
    again = attack("""
        for path in ('file', 'folder/secret', '.home/secret'):
            try:
                print(open(work + '/' + path).read())
            except FileNotFoundError:
                print('absent')
        """, n_files=20)  # fmt: skip
    assert (again.status, again.stdout) == ("done", "absent\nabsent\nabsent\n")
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]
    assert (outside.stat().st_uid, (outside / "secret").stat().st_uid) == before
    for name in ("file", "folder/secret"):
        with pytest.raises(SandboxError):
            read_file(work, name, max_bytes=100)


def test_hard_links_do_not_cross(attack, tmp_path):
    library = tmp_path / "library"
    library.mkdir()
    (library / "fact").write_text("42")
    (library / "fact").chmod(0o666)
    outcome = attack(f"""
        for path in ('{library}/fact', '/usr/bin/env', '/proc/self/exe'):
            try:
                os.link(path, work + '/hard')
            except OSError as error:
                print(error.strerror)
        """, read_only=(library,))  # fmt: skip
    assert outcome.stdout == "Invalid cross-device link\n" * 3
    assert (library / "fact").stat().st_nlink == 1


def _listeners(folder):
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0{folder.parent.name}")
    abstract.listen()
    on_disk = socket.socket(socket.AF_UNIX)
    on_disk.bind(os.path.relpath(folder / "s"))
    (folder / "s").chmod(0o666)
    on_disk.listen()
    return {"tcp": tcp, "udp": udp, "abstract": abstract, "on disk": on_disk}


def test_no_socket_reaches_a_listener(attack, tmp_path, monkeypatch):
    folder = tmp_path / "library"
    folder.mkdir()
    monkeypatch.chdir(folder)  # a socket's path is short
    listeners = _listeners(folder)
    outcome = attack(f"""
        import socket
        os.chdir({str(folder)!r})
        def stream(family, address):
            socket.socket(family).connect(address)
        def datagram(address):
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', address)
        for attempt in (
            lambda: stream(socket.AF_INET, {listeners["tcp"].getsockname()!r}),
            lambda: datagram({listeners["udp"].getsockname()!r}),
            lambda: stream(socket.AF_UNIX, {listeners["abstract"].getsockname()!r}),
            lambda: stream(socket.AF_UNIX, 's'),
            lambda: stream(socket.AF_VSOCK, (2, 22)),
            lambda: socket.getaddrinfo('example.org', 80),
            lambda: os.system('exec 3<>/dev/tcp/127.0.0.1/{listeners["tcp"].getsockname()[1]}'),
        ):
            try:
                print('reached', attempt())
            except OSError as error:
                print('refused')
        """, read_only=(folder,))  # fmt: skip
    assert "refused" in outcome.stdout
    for name, listener in listeners.items():
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.recv(1) if name == "udp" else listener.accept()
        listener.close()
    assert outcome.stdout.splitlines()[:6] == ["refused"] * 6


def test_the_network_has_no_way_out(work):
    outcome = run(["/bin/cat", "/proc/net/dev", "/proc/net/route"], writable=work)
    devices = [line.split(":")[0].strip() for line in outcome.stdout.splitlines() if ":" in line]
    assert devices == ["lo"]


@pytest.fixture
def victim():
    """A process outside with the same user as the sandbox has there."""
    identity = {"user": OUTSIDE_ID, "group": OUTSIDE_ID} if os.geteuid() == 0 else {}
    process = subprocess.Popen(["/bin/sleep", "60"], **identity, cwd="/")
    yield process
    process.kill()
    process.wait()


def test_processes_outside_are_neither_seen_nor_killed(attack, victim):
    outcome = attack(f"""
        import signal
        pids = [int(name) for name in os.listdir('/proc') if name.isdigit()]
        print(pids)
        print([open(f'/proc/{{pid}}/comm').read() for pid in pids])
        for pid in ({victim.pid}, {os.getpid()}):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                print('no such process')
        sys.stdout.flush()
        os.kill(-1, signal.SIGKILL)
        """)
    pids = [int(pid) for pid in outcome.stdout.splitlines()[0][1:-1].split(",")]
    assert pids[0] == 1
    assert max(pids) < 10
    assert "sleep" not in outcome.stdout
    assert outcome.stdout.count("no such process") == 2
    assert victim.poll() is None


def test_who_it_is_seen_from_outside(work, mark, alive):
    command = ["/bin/bash", "-c", f"exec -a {mark} sleep 3600"]
    with ThreadPoolExecutor() as pool:
        running = pool.submit(run, command, writable=work, limits=Limits(wall_s=1))
        while not (sleeper := next((p for p in alive() if p.name() == "sleep"), None)):
            time.sleep(0.02)
        text = Path(f"/proc/{sleeper.pid}/status").read_text()
        spaces = {kind: Path(f"/proc/{sleeper.pid}/ns/{kind}").readlink() for kind in NAMESPACES}
        running.result()
    status = dict(line.split(":\t", 1) for line in text.splitlines())
    expected = OUTSIDE_ID if os.geteuid() == 0 else os.getuid()
    assert set(status["Uid"].split()) == {str(expected)}
    assert {int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert len(status["NSpid"].split()) == 2
    for kind in NAMESPACES:
        assert spaces[kind] != Path(f"/proc/self/ns/{kind}").readlink(), kind


@pytest.mark.parametrize(
    "command",
    [
        "mount -t tmpfs none {work}/m",
        "mount --bind /usr {work}/m",
        "umount /proc",
        "unshare --user true",
        "unshare --map-root-user --mount true",
        "unshare --net true",
        "mknod {work}/sda b 8 0",
        "mknod {work}/mem c 1 1",
        "/usr/sbin/chroot {work} /bin/true",
        "nsenter --target 1 --mount true",
        "bwrap --ro-bind / / true",
        "setpriv --reuid 0 true",
        "dmesg",
        "su -c true",
        "/usr/sbin/swapoff /dev/null",
        "hostname other",
        "date --set 2001-01-01",
        "renice -n -5 1",
    ],
)
def test_privileged_acts_fail(work, command):
    (work / "m").mkdir()
    outcome = run(["/bin/sh", "-c", command.format(work=work)], writable=work,
                  limits=Limits(wall_s=5))  # fmt: skip
    assert outcome.status == "failed", (outcome.stdout, outcome.stderr)
    assert "not found" not in outcome.stderr
    assert {path.name for path in work.iterdir()} == {"m", ".home", ".tmp"}


def test_a_root_within_a_root_gets_nothing(attack):
    """Namespaces in namespaces, by system calls of its own."""
    outcome = attack("""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        clone = 56 if os.uname().machine == 'x86_64' else 220
        for flags in (0x10000000, 0x10020000, 0x20000000, 0x40000000, 0x00020000):
            print(libc.unshare(flags), end=' ')
            print(libc.syscall(clone, flags | 17, 0, 0, 0, 0))
        """)
    assert outcome.stdout.split() == ["-1"] * 10


def test_set_user_id_gives_nothing(attack, work, outside):
    """Neither a program of the system that runs as root, nor one that it makes itself."""
    outcome = attack("""
        import shutil, subprocess
        shutil.copy('/bin/id', work + '/id')
        os.chmod(work + '/id', 0o6755)
        print(subprocess.run([work + '/id', '-u'], capture_output=True, text=True).stdout)
        try:
            os.setuid(0)
        except OSError as error:
            print(error.strerror)
        """)
    assert outcome.stdout.split("\n")[0] == "1000"
    assert "Invalid argument" in outcome.stdout or "not permitted" in outcome.stdout
    assert work.stat().st_mode & 0o077 == 0  # nobody else outside gets at what it left
