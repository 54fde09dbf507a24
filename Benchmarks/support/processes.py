"""Processes and folders that never outlive the script, and the kernel's figures about them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


class Workbench:
    """A temporary folder and the processes started in it; leaving it ends and removes both."""

    def __init__(self, prefix="gatehouse-bench-"):
        self.prefix = prefix
        self.processes = []

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix=self.prefix)
        # A server that runs as another user (PostgreSQL) must be able to reach its own folder.
        os.chmod(self.folder, 0o711)
        # Turn a signal into an exception, so that the processes are ended however the script ends.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, frame: sys.exit(128 + number))
        return self

    def __exit__(self, *_):
        for process, ending in reversed(self.processes):
            end(process, ending)
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_folder(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, exist_ok=True)
        return path

    def start(self, words, name, ending=signal.SIGTERM, **options):
        """Starts a process with its output in a file. Leaving the workbench ends it by the signal `ending`."""
        output = open(os.path.join(self.folder, name + ".output"), "ab")
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)
        output.close()
        self.processes.append((process, ending))
        return process

    def output(self, name):
        """The last lines a process has written."""
        try:
            with open(os.path.join(self.folder, name + ".output"), errors="replace") as file:
                return "".join(file.readlines()[-20:])
        except OSError:
            return ""


def end(process, number=signal.SIGTERM, patience=30):
    """Ends a process by its id: with its signal, then with SIGKILL."""
    if process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processor_seconds(pid):
    """User and system time of a process with all its threads."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


def folder_bytes(path):
    """The sum of the lengths of all files below a folder."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                pass  # A file may be renamed or removed by the server meanwhile.
    return total


def wait_until(condition, what, patience=60, every=0.05):
    """Calls `condition` until it is true; returns how many seconds that took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > patience:
            raise RuntimeError(f"{what}: not within {patience} seconds")
        time.sleep(every)
    return time.monotonic() - start
