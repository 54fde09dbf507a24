"""Three members of etcd and the nodes on them, each on a host of its own."""

import json
import os
import re
import signal
import ssl
import subprocess
import time

from network import SmallDisk

from support import resp
from support.cluster import Etcd, Member, copy_folder
from support.processes import end, wait_until

CLIENTS = "clients"
PORT = 7420
TLS_PORT = 7421
NODES = 3
MEMBERS = 3
SERVICE = "tests"


class FaultFound(Exception):
    """The cluster did what it must not."""


class FakeClock:
    """Words before a command line whose wall clock shows what a file says (the package faketime). The library changes the
    environment of the first process that loads it, so another one comes in between."""

    LIBRARY = next((path for path in (f"/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1"
                                      for machine in ("x86_64", "aarch64")) if os.path.exists(path)), None)

    def __init__(self, path):
        self.path = path
        self.set("+0")

    def set(self, difference):
        with open(self.path + ".new", "w") as file:
            file.write(difference + "\n")
        os.replace(self.path + ".new", self.path)

    @property
    def wrapper(self):
        return ["/usr/bin/env", f"LD_PRELOAD={self.LIBRARY}", f"FAKETIME_TIMESTAMP_FILE={self.path}", "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1", "TZ=UTC", "/usr/bin/env"]


class StageNode:
    def __init__(self, stage, number):
        self.stage = stage
        self.name = f"node{number}"
        self.host = stage.network.hosts[self.name]
        self.address = self.host.address
        self.data = os.path.join(stage.bench.folder, self.name)
        self.clock = FakeClock(self.data + ".clock") if FakeClock.LIBRARY else None
        self.process = None
        # Whether it is to run: an end that nobody asked for is a fault.
        self.is_wanted = False

    def start(self, follow="yes", has_fake_clock=False, fetches=True):
        """`fetches`: whether it fetches another node's folder if the shared log has left its own behind."""
        options = self.stage.options
        words = self.host.wrapper + (self.clock.wrapper if has_fake_clock else []) + [
            options.gatehouse, "serve", "--data", self.data, "--port", str(PORT), "--http-port", "0",
            "--tls-host", self.address, "--tls-port", str(TLS_PORT), "--tls-cert-file", self.stage.certificate,
            "--tls-key-file", self.stage.key, "--lanes", "1", "--log-format", "json",
            "--replication", self.stage.etcd.address, "--node", self.name, "--announce", f"{self.address}:{TLS_PORT}",
            "--follow", follow, "--replication-lease", f"{options.lease}ms", "--max-staleness", f"{options.staleness}ms",
            *self.stage.words, *(self.stage.fetching if fetches else [])]
        self.process = self.stage.bench.start(words, self.name, **self.host.process_options)
        self.is_wanted = True

    def client(self, patience=5.0):
        client = resp.Client(TLS_PORT, self.address, patience, tls=self.stage.tls)
        try:
            client.call("AUTH", SERVICE, self.stage.secret)
        except Exception:
            client.close()
            raise
        return client

    def ask(self, *words):
        """The answer, or None if there is none."""
        try:
            with self.client(2.0) as client:
                return client.call(*words)
        except (OSError, resp.ReplyError):
            return None

    def info(self):
        text = self.ask("INFO", "replication") or ""
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.is_wanted = False
        end(self.process, signal.SIGKILL)

    def stop(self):
        self.is_wanted = False
        end(self.process, signal.SIGTERM)

    @property
    def has_ended(self):
        return self.process.poll() is not None

    def descriptors(self):
        """How many the process has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def messages(self):
        path = os.path.join(self.stage.bench.folder, self.name + ".output")
        with open(path, errors="replace") as file:
            return file.read()

    def epochs(self):
        """The epochs in which it led, by its own log."""
        found = []
        for line in self.messages().splitlines():
            if "this node leads" in line and "no more" not in line:
                match = re.search(r'"epoch":\s*"?(\d+)', line)
                if match:
                    found.append(int(match.group(1)))
        return found


class Stage:
    def __init__(self, bench, network, options, ledger):
        self.bench, self.network, self.options, self.ledger = bench, network, options, ledger
        self.pace = options.pace / 1000
        # Some answers of a leader that stood still for longer than its lease are still waited for.
        self.client_patience = max(3.0, 3 * options.lease / 1000)
        self.words = ["--replication-slow", "4mb", "--replication-most", "16mb"]
        self.fetching = []
        self.problems = []
        members = [Member(bench, name, network.hosts[name].address, 2379, 2380, network.hosts[name].wrapper,
                          **network.hosts[name].process_options) for name in member_names()]
        self.disk = SmallDisk(os.path.join(bench.folder, "disk"), 700)
        members[-1].data = os.path.join(self.disk.path, members[-1].name)
        self.etcd = Etcd(bench, members, quota_bytes=128 << 20)
        self.nodes = [StageNode(self, number + 1) for number in range(NODES)]
        self._make_certificate()

    def _make_certificate(self):
        self.certificate, self.key = (os.path.join(self.bench.folder, name) for name in ("certificate.pem", "key.pem"))
        names = ",".join(f"IP:{node.address}" for node in self.nodes)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-keyout", self.key, "-out", self.certificate, "-subj", "/CN=nodes", "-addext", f"subjectAltName={names}"],
            check=True, capture_output=True)
        self.tls = ssl.create_default_context(cafile=self.certificate)

    def start(self):
        first = self.nodes[0]
        # The first service is made on the machine itself, before others may connect.
        alone = self.bench.start(
            [self.options.gatehouse, "serve", "--data", first.data, "--port", str(PORT), "--http-port", "0"], "first")
        wait_until(lambda: self._makes_service(alone), "the first start")
        end(alone, signal.SIGTERM)
        self._let_nodes_fetch()
        self.etcd.start()
        first.start(follow="no")
        wait_until(lambda: first.info().get("node_role") == "leader", "the first node to lead", 60)
        for node in self.nodes[1:]:
            copy_folder(self.options, first.data, node.data)
            node.start()
        self.settle()

    def _let_nodes_fetch(self):
        """Nodes that were away for longer than the shared log waits for them fetch another's folder by themselves."""
        path = os.path.join(self.bench.folder, "secret")
        with open(path, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(self.secret)
        self.fetching = ["--fetch-service", SERVICE, "--fetch-secret-file", path, "--fetch-authority", self.certificate]

    def _makes_service(self, process):
        if process.poll() is not None:
            raise RuntimeError(f"the first start failed:\n{self.bench.output('first')}")
        try:
            with resp.Client(PORT) as client:
                made = client.call("SERVICE.CREATE", SERVICE, "ADMIN")
                self.secret = made[made.index("secret") + 1]
            with resp.Client(PORT) as client:
                client.call("AUTH", SERVICE, self.secret)
                client.call("PRODUCT.CREATE", "payroll")
        except OSError:
            return False
        except resp.ReplyError as error:
            if str(error).startswith("LOADING"):
                return False
            raise
        return True

    def node_at(self, address):
        return next((node for node in self.nodes if node.address == address), None)

    def leader(self):
        return next((node for node in self.nodes if node.is_wanted and node.info().get("node_role") == "leader"), None)

    def followers(self):
        leader = self.leader()
        return [node for node in self.nodes if node is not leader]

    def member_that_leads(self):
        for member in self.etcd.members:
            done = self.etcd.control("endpoint", "status", "--write-out", "json", members=[member], timeout="2s")
            if done.returncode == 0:
                status = json.loads(done.stdout)[0]["Status"]
                if status["leader"] == status["header"]["member_id"]:
                    return member
        raise FaultFound("no member of etcd leads")

    # How it should be

    def settle(self, patience=60):
        """Waits until all runs again: one node leads, takes a change, and the others have it. Returns how long it took."""
        began = time.monotonic()
        what = "something"
        while time.monotonic() < began + patience:
            what = self._what_is_missing()
            if what is None:
                return time.monotonic() - began
            time.sleep(0.1)
        raise FaultFound(f"not within {patience} s: {what}")

    def _what_is_missing(self):
        for node in self.nodes:
            if node.is_wanted and node.has_ended:
                raise FaultFound(f"{node.name} has ended with status {node.process.returncode}; it wrote last:\n"
                                 + self.bench.output(node.name))
        if not self.etcd.is_healthy():
            return "etcd answers"
        infos = {node.name: node.info() for node in self.nodes}
        leaders = [name for name, info in infos.items() if info.get("node_role") == "leader"]
        if len(leaders) != 1:
            return f"one node leads (those that say so: {', '.join(leaders) or 'none'})"
        leader = next(node for node in self.nodes if node.name == leaders[0])
        # Its record is after all that were acknowledged.
        try:
            with leader.client() as client:
                _, lsn = client.pipeline([("POOL.SET", "payroll", "*", str(1_000_000 + int(time.time()) % 1000)), ("CLIENT", "LASTLSN")])
        except (OSError, resp.ReplyError) as error:
            return f"{leader.name} takes a change ({error})"
        for node in self.nodes:
            answer = node.ask("MINLSN", lsn, "POOL.LIST", "payroll")
            if answer is None:
                return f"{node.name} has record {lsn} (it says {infos[node.name].get('slave_repl_offset')})"
        return None

    def verify(self):
        """`gatehousectl cluster verify`."""
        done = subprocess.run(
            [self.options.gatehouse + "ctl", "cluster", "verify", "--host", self.nodes[0].address, "--port", str(TLS_PORT),
             "--tls", "--cacert", self.certificate],
            env=os.environ | {"GATEHOUSE_AUTH": f"{SERVICE}:{self.secret}"}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=60)
        if done.returncode != 0 or f"all {NODES} nodes have the same log" not in done.stdout:
            raise FaultFound(f"gatehousectl cluster verify: {done.stdout}{done.stderr}")
        return done.stdout.splitlines()[-1]

    def epochs_of_records(self, node):
        """The epoch in which each record was written, by a node's folder."""
        done = subprocess.run([self.options.gatehouse + "ctl", "inspect", node.data, "--frames", "--json"],
                              capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise FaultFound(f"gatehousectl inspect: {done.stderr}")
        frames = [json.loads(line) for line in done.stdout.splitlines()]
        return {lsn: frame["epoch"] for frame in frames
                for lsn in range(frame["first"], frame["first"] + frame["records"])}


def member_names():
    return [f"etcd{number + 1}" for number in range(MEMBERS)]


def node_names():
    return [f"node{number + 1}" for number in range(NODES)]
