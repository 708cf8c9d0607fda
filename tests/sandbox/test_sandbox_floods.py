"""Attacks that use up the machine, and those that will not end."""

import time
from pathlib import Path

import pytest

MIB = 2**20


def test_memory_of_one_process(attack):
    text = """
        hold = []
        while True:
            hold.append(b'x' * 2**20)
            time.sleep(.005)  # a busy machine looks seldom
        """
    outcome = attack(text, memory_bytes=100 * MIB)
    assert (outcome.status, outcome.returncode) == ("memory", None)
    assert 100 * MIB < outcome.peak_memory_bytes < 600 * MIB
    assert "of 104,857,600 allowed" in outcome.message


def test_memory_of_many_processes_is_summed(attack):
    outcome = attack("""
        for _ in range(5):
            if not os.fork():
                hold = b'x' * (40 * 2**20)
                time.sleep(60)
        time.sleep(60)
        """, memory_bytes=120 * MIB)  # fmt: skip
    assert outcome.status == "memory"


def test_memory_that_processes_share_is_counted_once(attack):
    text = """
        import mmap
        shared = mmap.mmap(-1, 80 * 2**20)
        shared.write(bytes(80 * 2**20))
        for _ in range(4):
            if not os.fork():
                sum(shared[n] for n in range(0, len(shared), 4096))
                time.sleep(2)
                os._exit(0)
        for _ in range(4):
            os.wait()
        """
    outcome = attack(text, memory_bytes=150 * MIB)
    assert outcome.status == "done", outcome
    assert outcome.peak_processes == 5
    assert attack(text, memory_bytes=70 * MIB).status == "memory"


def test_a_single_huge_allocation_is_refused_by_the_kernel(attack):
    outcome = attack("import mmap; mmap.mmap(-1, 2**40)", memory_bytes=100 * MIB)
    assert outcome.status == "failed"
    assert "Cannot allocate memory" in outcome.stderr


def test_shared_memory_files_are_bounded(attack):
    outcome = attack("""
        with open('/dev/shm/flood', 'wb') as flood:
            while True:
                flood.write(bytes(2**20))
        """)
    assert outcome.status == "failed"
    assert "No space left on device" in outcome.stderr


@pytest.mark.parametrize("call", ["os.memfd_create('x')", "libc.shmget(0, 2**20, 0o1600)",
                                  "libc.msgget(0, 0o1600)"])  # fmt: skip
def test_memory_outside_of_processes_is_not_given(attack, call):
    outcome = attack(f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        if {call} == -1:
            raise OSError(ctypes.get_errno(), '')
        """)
    assert outcome.status == "failed"
    assert "OSError" in outcome.stderr or "PermissionError" in outcome.stderr


def test_a_fork_bomb(attack, alive):
    outcome = attack("""
        while True:
            try:
                os.fork()
            except OSError:
                pass
        """, n_processes=20, wall_s=5, cpu_s=5)  # fmt: skip
    assert (outcome.status, outcome.returncode) == ("processes", None)
    assert 20 < outcome.peak_processes <= 20 + 16
    assert "of 20 allowed" in outcome.message
    assert not alive()


def test_a_thread_bomb(attack):
    outcome = attack("""
        import threading
        while True:
            threading.Thread(target=time.sleep, args=(60,)).start()
        """, n_processes=20, wall_s=5)  # fmt: skip
    assert outcome.status in {"processes", "failed"}
    assert outcome.peak_processes <= 20 + 16


def test_one_long_file(attack):
    outcome = attack("""
        with open('long', 'wb') as file:
            while True:
                file.write(bytes(2**20))
        """, file_bytes=8 * MIB)  # fmt: skip
    assert outcome.status == "disk"
    assert outcome.message == "the writable folder holds a file that reached 8,388,608 bytes"


def test_many_files_that_are_long_together(attack):
    outcome = attack("""
        for number in range(200):
            with open(f'part{number}', 'wb') as file:
                file.write(bytes(2**20))
        time.sleep(60)
        """, disk_bytes=20 * MIB, wall_s=10)  # fmt: skip
    assert outcome.status == "disk"
    assert "more than 20,971,520 bytes" in outcome.message


def test_a_sparse_file_counts_by_what_it_takes(attack):
    outcome = attack("os.truncate(os.open('sparse', os.O_CREAT | os.O_WRONLY), 50 * 2**20)",
                     disk_bytes=20 * MIB)  # fmt: skip
    assert outcome.status == "done"


def test_deleted_files_that_are_still_open_count(attack):
    outcome = attack("""
        hold = []
        for number in range(60):
            hold.append(open('gone', 'wb'))
            os.unlink('gone')
            hold[-1].write(bytes(2**20))
            hold[-1].flush()
        time.sleep(60)
        """, disk_bytes=20 * MIB, wall_s=10)  # fmt: skip
    assert outcome.status == "disk"


def test_a_closed_folder_hides_nothing(attack):
    outcome = attack("""
        os.mkdir('closed')
        open('closed/flood', 'wb').write(bytes(30 * 2**20))
        os.chmod('closed', 0)
        time.sleep(60)
        """, disk_bytes=20 * MIB, wall_s=10)  # fmt: skip
    assert outcome.status == "disk"


def test_a_process_that_closes_itself_hides_nothing(attack):
    outcome = attack("""
        import ctypes
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # not to be looked into by its own user
        hold = open('gone', 'wb')
        os.unlink('gone')
        hold.write(bytes(30 * 2**20))
        time.sleep(60)
        """, disk_bytes=20 * MIB, wall_s=10)  # fmt: skip
    assert outcome.status == "disk"


def test_many_small_files(attack):
    outcome = attack("""
        for number in range(5000):
            os.close(os.open(f'{number}', os.O_CREAT))
        time.sleep(60)
        """, n_files=500, wall_s=10)  # fmt: skip
    assert outcome.status == "disk"
    assert "more than 500 files" in outcome.message


def test_a_bottomless_folder(attack):
    outcome = attack("""
        for _ in range(5000):
            os.mkdir('d')
            os.chdir('d')
        time.sleep(60)
        """, wall_s=10)  # fmt: skip
    assert outcome.status == "disk"
    assert "more than 64 deep" in outcome.message


def test_what_is_written_in_the_last_moment_counts(attack):
    outcome = attack("open('last', 'wb').write(bytes(4 * 2**20))", disk_bytes=2 * MIB)
    assert outcome.status == "disk"


def test_an_endless_loop(attack):
    outcome = attack("while True: pass", cpu_s=0.5)
    assert (outcome.status, outcome.returncode) == ("cpu", None)
    assert 0.5 < outcome.cpu_s < 2


def test_cpu_time_is_summed_over_processes(attack):
    outcome = attack("""
        for _ in range(3):
            os.fork()
        while time.process_time() < .4: pass
        """, cpu_s=1.5)  # fmt: skip
    assert outcome.status == "cpu"


def test_children_too_brief_to_be_seen_end_at_the_time_limit_at_least(attack):
    outcome = attack("""
        import signal
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            if not os.fork():
                os._exit(0)
            time.sleep(.001)
        """, cpu_s=1, wall_s=1.5)  # fmt: skip
    assert outcome.status in {"cpu", "wall"}


def test_sleeping_for_ever(attack):
    started = time.monotonic()
    outcome = attack("time.sleep(3600)", wall_s=0.5)
    assert outcome.status == "wall"
    assert outcome.message == "it ran for more than 0.5 s"
    assert time.monotonic() - started < 10


def test_signals_may_be_ignored_in_vain(attack, alive):
    outcome = attack("""
        import signal
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        time.sleep(3600)
        """, wall_s=0.5)  # fmt: skip
    assert outcome.status == "wall"
    assert not alive()


DAEMON = """
    def daemon():
        if os.fork(): return
        os.setsid()
        if os.fork(): os._exit(0)
        for descriptor in range(3): os.close(descriptor)
        os.execv('/bin/sleep', [mark, '3600'])
    daemon()
    time.sleep(.2)
    """


def test_a_daemon_does_not_outlive_the_program(attack, alive):
    outcome = attack(DAEMON + "\n    print('left behind')")
    assert (outcome.status, outcome.stdout) == ("done", "left behind\n")
    assert not alive()


def test_a_daemon_is_killed_at_a_limit(attack, alive):
    outcome = attack(DAEMON + "\n    time.sleep(3600)", wall_s=1)
    assert outcome.status == "wall"
    assert outcome.peak_processes >= 2
    assert not alive()


def test_a_daemon_counts(attack):
    text = DAEMON.replace("os.execv('/bin/sleep', [mark, '3600'])", "while True: pass")
    assert attack(text + "\n    time.sleep(3600)", cpu_s=0.5).status == "cpu"


def test_output_is_dropped_and_told(attack):
    outcome = attack("""
        print('the start')
        for _ in range(300): sys.stdout.write('x' * 99_999 + '\\n')
        print('the end')
        """, output_bytes=1000)  # fmt: skip
    assert outcome.status == "done"
    assert outcome.stdout.startswith("the start\n")
    assert outcome.stdout.endswith("\nthe end\n")
    assert "\n... 29,999,018 bytes dropped ...\n" in outcome.stdout
    assert outcome.message == "29,999,018 bytes of stdout were dropped"
    assert len(outcome.stdout) < 1100


def test_output_that_never_ends_is_not_held(attack):
    outcome = attack("while True: os.write(2, b'x' * 65536)", cpu_s=1, output_bytes=1000)
    assert outcome.status == "cpu"
    assert len(outcome.stderr) < 1100


def test_output_that_is_no_text_is_taken(attack):
    outcome = attack("os.write(1, bytes(range(256)))")
    assert outcome.stdout.startswith("\x00\x01")
    assert "\N{REPLACEMENT CHARACTER}" in outcome.stdout


def test_pipes_and_sockets_left_in_the_folder_do_not_hold_the_watch(attack, work):
    outcome = attack("os.mkfifo('pipe'); os.mkfifo('.home/pipe')")
    assert outcome.status == "done"
    assert Path(work / "pipe").is_fifo()
