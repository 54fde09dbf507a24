"""Members of etcd, and servers that share their log on them."""

import os
import shutil
import subprocess

from . import resp
from .processes import free_port, wait_until
from .servers import Gatehouse


class Member:
    """One member of etcd. `wrapper` is what runs its program, such as in a network namespace with the address `host`."""

    def __init__(self, bench, name, host="127.0.0.1", client_port=None, peer_port=None, wrapper=(), **process):
        self.bench = bench
        self.name = name
        self.host = host
        self.client_port = client_port or free_port()
        self.peer_port = peer_port or free_port()
        self.wrapper = list(wrapper)
        self.data = os.path.join(bench.folder, name)
        self.options = process
        self.process = None

    @property
    def endpoint(self):
        return f"{self.host}:{self.client_port}"

    @property
    def peer_url(self):
        return f"http://{self.host}:{self.peer_port}"

    def start(self, members, state="new", quota_bytes=4 << 30):
        """The settings are those that `tools/cluster` takes."""
        client_url = f"http://{self.endpoint}"
        words = self.wrapper + [
            "etcd", "--name", self.name, "--data-dir", self.data, "--listen-client-urls", client_url,
            "--advertise-client-urls", client_url, "--listen-peer-urls", self.peer_url,
            "--initial-advertise-peer-urls", self.peer_url,
            "--initial-cluster", ",".join(f"{member.name}={member.peer_url}" for member in members),
            "--initial-cluster-state", state, "--initial-cluster-token", self.bench.folder,
            "--quota-backend-bytes", str(quota_bytes), "--auto-compaction-mode", "revision",
            "--auto-compaction-retention", "10000", "--snapshot-count", "5000", "--logger", "zap",
            "--log-outputs", "stderr", "--log-level", "warn"]
        self.process = self.bench.start(words, self.name, **self.options)


class Etcd:
    """Members on this machine's loopback, or where they were made for."""

    def __init__(self, bench, members=3, quota_bytes=4 << 30):
        self.bench = bench
        self.members = members if isinstance(members, list) else [Member(bench, f"etcd{n + 1}") for n in range(members)]
        self.quota_bytes = quota_bytes

    def start(self):
        for member in self.members:
            member.start(self.members, quota_bytes=self.quota_bytes)
        wait_until(self.is_healthy, "etcd to answer", patience=60)

    @property
    def address(self):
        """As the setting `replication` takes it."""
        return "etcd://" + ",".join(member.endpoint for member in self.members)

    def control(self, *words, members=None, timeout="5s"):
        """Runs etcdctl."""
        endpoints = ",".join(member.endpoint for member in members or self.members)
        return subprocess.run(
            ["etcdctl", "--endpoints", endpoints, "--dial-timeout", "2s", "--command-timeout", timeout, *words],
            env=os.environ | {"ETCDCTL_API": "3"}, stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def is_healthy(self):
        return self.control("endpoint", "health").returncode == 0


class Node(Gatehouse):
    """A server that shares its log; its folder is that of `origin`, or one that is there already."""

    def __init__(self, bench, options, name, etcd, origin=None, words=(), **server):
        super().__init__(bench, options, name, **server)
        self.extra = self.extra + [
            "--replication", etcd.address, "--node", name, "--announce", f"127.0.0.1:{self.port}",
            "--follow", "yes" if origin else "no", *words]
        if origin:
            copy_folder(options, origin.data, self.data)

    def is_leader(self):
        try:
            with self.client() as client:
                return client.call("ROLE")[0] == "master"
        except (OSError, ConnectionError, resp.ReplyError):
            return False

    def start_leading(self):
        self.start()
        wait_until(self.is_leader, f"{self.name} to lead")

    def wait_for(self, lsn, patience=60):
        """Waits until a record is applied here."""
        with self.client() as client:
            wait_until(lambda: int(resp.info(client, "replication")["slave_repl_offset"]) >= lsn,
                       f"{self.name} to have record {lsn}", patience)


def copy_folder(options, source, target):
    """A data folder for another node."""
    shutil.rmtree(target, ignore_errors=True)
    done = subprocess.run([options.gatehouse + "ctl", "backup", "--quiet", source, target], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"gatehousectl backup: {done.stderr}")
