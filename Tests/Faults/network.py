"""Hosts in network namespaces, joined by a switch in user space that cuts, slows and loses what goes over each link.

Each host has a TUN device; a process of ours reads the packets of all of them and passes them on. So every fault that a
link can have, in one direction or both, is a few lines here, and needs of the kernel only namespaces and TUN. The namespaces
have no names: they are gone with the processes in them.
"""

import ctypes
import errno
import fcntl
import heapq
import multiprocessing
import os
import random
import select
import shutil
import struct
import subprocess
import time
from dataclasses import dataclass

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
LONGEST_PACKET = 60_000
"""Long packets, because each costs the switch about as much as a short one."""
PACKETS_AT_ONCE = 64


class Unavailable(Exception):
    """This machine cannot have such a network."""


@dataclass(frozen=True)
class Link:
    """What happens to the packets from one host to another."""

    is_cut: bool = False
    # The share of packets that are lost.
    loss: float = 0
    # Seconds for which each packet is under way, and how many more it may be.
    delay: float = 0
    jitter: float = 0


WHOLE = Link()
CUT = Link(is_cut=True)


class Host:
    def __init__(self, name, number):
        self.name = name
        self.address = f"10.77.0.{number}"
        unshare(CLONE_NEWNET)
        self.namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.device, TUNSETIFF, struct.pack("16sH22x", b"link", IFF_TUN | IFF_NO_PI))
        for words in (("addr", "add", f"{self.address}/24", "dev", "link"),
                      ("link", "set", "dev", "link", "up", "mtu", str(LONGEST_PACKET)), ("link", "set", "dev", "lo", "up")):
            subprocess.run(["ip", *words], check=True)

    @property
    def wrapper(self):
        """Words before a command line that runs on this host, and ends with whoever has started it."""
        return ["nsenter", f"--net=/proc/self/fd/{self.namespace}", "setpriv", "--pdeathsig", "KILL", "--"]

    @property
    def process_options(self):
        """For `subprocess.Popen`, with the wrapper."""
        return {"pass_fds": (self.namespace,)}


def unshare(what):
    """Puts the process into a namespace of its own."""
    if ctypes.CDLL(None, use_errno=True).unshare(what) != 0:
        raise Unavailable(f"no namespace: {os.strerror(ctypes.get_errno())}")


class SmallDisk:
    """A file system of limited size, which nobody but this process and what it starts sees."""

    def __init__(self, path, megabytes):
        self.path = path
        self.filling = os.path.join(path, "filling")
        os.makedirs(path)
        unshare(CLONE_NEWNS)
        for words in (("--make-rprivate", "/"), ("-t", "tmpfs", "-o", f"size={megabytes}m", "none", path)):
            subprocess.run(["mount", *words], check=True)

    def fill(self):
        with open(self.filling, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def make_room(self):
        os.unlink(self.filling)

    def remove(self):
        subprocess.run(["umount", "--lazy", self.path], check=True)


class Network:
    """The calling process is on the last host from then on."""

    def __init__(self, names, seed):
        if os.geteuid() != 0:
            raise Unavailable("only root makes network namespaces")
        for program in ("ip", "nsenter", "setpriv"):
            if not shutil.which(program):
                raise Unavailable(f"{program} is not installed (apt: iproute2, util-linux)")
        try:
            self.hosts = {name: Host(name, number + 1) for number, name in enumerate(names)}
        except OSError as error:
            raise Unavailable(f"no TUN device: {error}") from error
        self.links = {}
        self.pipe, other = multiprocessing.Pipe()
        self.switch = multiprocessing.get_context("fork").Process(
            target=_Switch.serve, args=(list(self.hosts.values()), other, self.pipe, seed), daemon=True)
        self.switch.start()
        other.close()

    def set(self, sources, targets, link, both_ways=True):
        """How the links from some hosts to others are from now on."""
        for source in sources:
            for target in targets:
                if source == target:
                    continue
                self.links[source, target] = link
                if both_ways:
                    self.links[target, source] = link
        self._tell()

    def heal(self):
        self.links = {}
        self._tell()

    def _tell(self):
        self.pipe.send({tuple(self.hosts[name].address for name in pair): link for pair, link in self.links.items()})
        # From then on it is so.
        self.pipe.recv()

    def close(self):
        self.pipe.close()
        self.switch.join(5)


class _Switch:
    @staticmethod
    def serve(hosts, pipe, other_end, seed):
        # Otherwise its end would never be seen.
        other_end.close()
        try:
            _Switch(hosts, pipe, seed).run()
        except (EOFError, OSError, KeyboardInterrupt):
            pass

    def __init__(self, hosts, pipe, seed):
        self.pipe = pipe
        self.random = random.Random(seed)
        self.devices = {_packed(host.address): host.device for host in hosts}
        self.links = {}
        # Packets under way: when they are due, their number, the device and the bytes.
        self.queue = []
        self.sent = 0
        # A link does not reorder.
        self.last_due = {}

    def run(self):
        poll = select.epoll()
        for descriptor in (self.pipe.fileno(), *self.devices.values()):
            poll.register(descriptor, select.EPOLLIN)
        while True:
            wait = max(0, self.queue[0][0] - time.monotonic()) if self.queue else -1
            for descriptor, _ in poll.poll(wait):
                if descriptor == self.pipe.fileno():
                    links = self.pipe.recv()
                    self.links = {tuple(map(_packed, pair)): link for pair, link in links.items()}
                    self.pipe.send(None)
                else:
                    self._read(descriptor)
            now = time.monotonic()
            while self.queue and self.queue[0][0] <= now:
                _, _, device, packet = heapq.heappop(self.queue)
                _write(device, packet)

    def _read(self, descriptor):
        for _ in range(PACKETS_AT_ONCE):
            try:
                packet = os.read(descriptor, LONGEST_PACKET + 100)
            except BlockingIOError:
                return
            pair = packet[12:16], packet[16:20]
            device = self.devices.get(pair[1])
            if device is None or packet[0] >> 4 != 4:
                continue
            link = self.links.get(pair)
            if link is None:
                _write(device, packet)
            elif not link.is_cut and self.random.random() >= link.loss:
                self._delay(pair, link, device, packet)

    def _delay(self, pair, link, device, packet):
        due = time.monotonic() + link.delay + link.jitter * self.random.random()
        self.last_due[pair] = due = max(due, self.last_due.get(pair, 0))
        self.sent += 1
        heapq.heappush(self.queue, (due, self.sent, device, packet))


def _packed(address):
    return bytes(map(int, address.split(".")))


def _write(device, packet):
    try:
        os.write(device, packet)
    except BlockingIOError:
        pass  # A full queue loses packets, as elsewhere.
