"""The client programs: gatehouse-bench and redis-benchmark, with the server's processor time beside their figures."""

import csv
import json
import subprocess
from dataclasses import dataclass

from .processes import processor_seconds


@dataclass
class Sample:
    """One measured run against one server."""

    per_second: float
    # Microseconds of the server's processor time per command; None if it was not measured.
    server_microseconds: float = None
    # Percentiles and maximum in microseconds, if the client reports them.
    latency: dict = None

    def as_dict(self):
        return {"per_second": self.per_second, "server_microseconds": self.server_microseconds, "latency": self.latency}


def load(options, server, into, users, sessions=0, tokens=None, strings=False, first=0, connections=8):
    """Fills a server with people and sessions."""
    words = [options.bench, "load", "--into", into, "--port", server.port, "--users", users, "--from", first,
             "--sessions", sessions, "--connections", connections]
    if tokens:
        words += ["--tokens", tokens]
    if strings:
        words += ["--strings"]
    _run(words)


def gatehouse_bench(options, server, *, users, connections=50, depth=1, seconds=None, requests=None, target="gatehouse",
                    mix="login", rate=None, tokens=None, sessions=None, warmup="300ms", threads=1, seed=None, licence=None,
                    tls=None):
    """One run of gatehouse-bench; `tls` is the port for TLS and the file of the authority to believe."""
    port, authority = tls or (server.port, None)
    words = [options.bench, "run", "--json", "--port", port, "--users", users, "--connections", connections,
             "--depth", depth, "--target", target, "--mix", mix, "--server-pid", server.pid, "--warmup", warmup,
             "--threads", threads]
    words += ["--requests", requests] if requests else ["--duration", f"{int(seconds * 1000)}ms"]
    for name, value in (("--rate", rate), ("--tokens", tokens), ("--sessions", sessions), ("--seed", seed),
                        ("--licence", licence)):
        if value is not None:
            words += [name, value]
    if authority:
        words += ["--tls", "--cacert", authority]
    report = json.loads(_run(words))
    return Sample(report["per_second"], report.get("server_microseconds"), report["all"]["latency"])


def redis_benchmark(server, command, *, users, requests, connections=50, depth=1):
    """One run of redis-benchmark; `__rand_int__` in a word of the command becomes twelve digits below `users`."""
    before = processor_seconds(server.pid)
    output = _run(["redis-benchmark", "-h", "127.0.0.1", "-p", server.port, "-c", connections, "-P", depth,
                   "-n", requests, "-r", users, "--csv", *command])
    used = processor_seconds(server.pid) - before
    rows = list(csv.DictReader(line for line in output.splitlines() if line.startswith('"')))
    if len(rows) != 1:
        raise RuntimeError(f"redis-benchmark printed:\n{output}")
    row = rows[0]
    latency = {name: float(row[f"{name}_latency_ms"]) * 1000 for name in ("avg", "p50", "p95", "p99", "max")}
    return Sample(float(row["rps"]), used * 1e6 / requests, latency)


def _run(words):
    words = [str(word) for word in words]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}\nended with status {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
