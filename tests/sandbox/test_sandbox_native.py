"""Native code of a model that attacks when it is loaded, and NEURON's own ways to the shell."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bnnkg.sandbox import Limits, interpreter_paths, run

needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
needs_neuron = pytest.mark.skipif(
    not importlib.util.find_spec("neuron"), reason="NEURON is not installed"
)

# Runs when the library is loaded; each success leaves a file in the folder where it runs.
ASSAULT = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void told(const char *what, int worked) {
    if (worked) close(open(what, O_CREAT | O_WRONLY, 0644));
}

__attribute__((constructor)) static void assault(void) {
    told("loaded", 1);
    told("wrote-outside", open("@OUTSIDE@/x", O_CREAT | O_WRONLY, 0644) >= 0);
    told("read-outside", open("@OUTSIDE@/secret", O_RDONLY) >= 0);
    told("read-shadow", open("/etc/shadow", O_RDONLY) >= 0);
    told("opened-memory", open("/dev/mem", O_RDWR) >= 0);
    told("opened-socket", socket(AF_INET, SOCK_STREAM, 0) >= 0);
    told("opened-vsock", socket(40, SOCK_STREAM, 0) >= 0);
    told("mounted", mount("none", "/usr", "tmpfs", 0, 0) == 0);
    told("traced", ptrace(PTRACE_ATTACH, 1, 0, 0) == 0);
    told("became-root", setuid(0) == 0);
    told("killed-outside", kill(@VICTIM@, SIGKILL) == 0);
    told("shelled-out", system("echo x > @OUTSIDE@/y") == 0);
    if (!fork()) {
        setsid();
        execl("/bin/sleep", "@MARK@", "3600", (char *)0);
    }
}
"""


@pytest.fixture
def assault(outside, mark):
    victim = subprocess.Popen(["/bin/sleep", "60"])
    yield (
        ASSAULT.replace("@OUTSIDE@", str(outside))
        .replace("@MARK@", mark)
        .replace("@VICTIM@", str(victim.pid))
    )
    assert victim.poll() is None
    victim.kill()
    victim.wait()


def _left(work: Path) -> set[str]:
    names = {
        "loaded",
        "wrote",
        "read",
        "opened",
        "mounted",
        "traced",
        "became",
        "killed",
        "shelled",
    }
    return {path.name for path in work.iterdir() if path.name.split("-")[0] in names}


@needs_gcc
def test_a_library_that_attacks_when_loaded(attack, assault, work, outside, alive):
    (work / "attack.c").write_text(assault)
    outcome = attack("""
        import ctypes, subprocess
        subprocess.run('gcc -shared -fPIC -w -o attack.so attack.c', shell=True, check=True)
        ctypes.CDLL(work + '/attack.so')
        time.sleep(.2)
        """)
    assert outcome.status == "done", outcome.stderr
    assert _left(work) == {"loaded"}
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]
    assert not alive()


@needs_neuron
def test_hoc_reaches_a_shell_that_reaches_nothing(attack, outside, work):
    outcome = attack("""
        from neuron import h
        h('system("echo x > {0}/x")'.format(outside))
        h('system("cat {0}/secret > copy")'.format(outside))
        h('system("id -u > who")')
        h('objref f')
        h('f = new File()')
        h('f.wopen("{0}/y")'.format(outside))
        print(h.f.isopen())
        """)
    assert outcome.stdout.splitlines()[-1] == "0.0", outcome.stderr
    assert (work / "who").read_text() == "1000\n"
    assert (work / "copy").read_text() == ""
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


MOD = """
NEURON { SUFFIX evil  RANGE g }
PARAMETER { g = 1 }
VERBATIM
%s
ENDVERBATIM
"""


@needs_gcc
@needs_neuron
def test_a_mechanism_whose_verbatim_attacks_when_loaded(assault, work, outside, alive):
    (work / "evil.mod").write_text(MOD % assault)
    folder = Path(sys.prefix, "bin")
    compiled = run([str(folder / "nrnivmodl")], writable=work, read_only=interpreter_paths(),
                   limits=Limits(wall_s=120, cpu_s=60))  # fmt: skip
    assert compiled.status == "done", compiled.stdout + compiled.stderr
    assert _left(work) == set()
    load = "from neuron import h; s = h.Section(); s.insert('evil'); print(s(.5).evil.g)"
    outcome = run([sys.executable, "-c", load], writable=work, read_only=interpreter_paths(),
                  limits=Limits(wall_s=60, cpu_s=30))  # fmt: skip
    assert outcome.stdout.endswith("1.0\n"), outcome.stderr
    assert _left(work) == {"loaded"}
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]
    assert not alive()
