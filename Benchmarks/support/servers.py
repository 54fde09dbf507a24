"""The servers that are measured: Gatehouse, Redis, PostgreSQL, each on a free loopback port with data of its own."""

import glob
import os
import shutil
import signal
import subprocess
import time

from . import resp
from .processes import end, free_port, wait_until


class Server:
    """A server that speaks the Redis protocol."""

    def __init__(self, bench, name, data=None):
        self.bench = bench
        self.name = name
        self.data = data or bench.make_folder(name)
        self.port = free_port()
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def client(self):
        return resp.Client(self.port)

    def start(self, patience=300):
        """Starts the server; returns the seconds until PING was answered and it was ready."""
        began = time.monotonic()
        self.process = self.bench.start(self.command(), self.name)
        wait_until(self._is_ready, f"{self.name} to be ready", patience, every=0.005)
        return time.monotonic() - began

    def _is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended at its start:\n{self.bench.output(self.name)}")
        try:
            with self.client() as client:
                return client.call("PING") == "PONG"
        except (OSError, resp.ReplyError):
            return False

    def stop(self):
        end(self.process)

    def kill(self):
        end(self.process, signal.SIGKILL)

    def info(self, section):
        with self.client() as client:
            return resp.info(client, section)

    def snapshot(self, patience=600):
        """Takes a snapshot in the background and waits for it; returns how many seconds it took."""
        with self.client() as client:
            def is_idle():
                return resp.info(client, "persistence").get("rdb_bgsave_in_progress") == "0"

            # The server may have begun one by itself, after so many writes.
            wait_until(is_idle, f"{self.name} to end a snapshot of its own", patience, every=0.01)
            client.call("BGSAVE")
            return wait_until(is_idle, f"{self.name} to take a snapshot", patience, every=0.01)


class Gatehouse(Server):
    def __init__(self, bench, options, name="gatehouse", lanes=None, data=None, program=None):
        super().__init__(bench, name, data)
        self.program = program or options.gatehouse
        self.lanes = lanes if lanes is not None else options.lanes
        self.extra = options.gatehouse_option

    def command(self):
        words = [self.program, "serve", "--data", self.data, "--port", str(self.port), "--http-port", "0"]
        if self.lanes is not None:
            words += ["--lanes", str(self.lanes)]
        return words + self.extra


class Redis(Server):
    """Redis without or with an append-only file: `log` is `no`, `always` or `everysec`.

    `program` may be another server that takes the same options, such as Valkey."""

    def __init__(self, bench, name="redis", log="no", data=None, program="redis-server"):
        super().__init__(bench, name, data)
        self.log = log
        self.program = program

    def command(self):
        words = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.data, "--save", ""]
        if self.log == "no":
            return words + ["--appendonly", "no"]
        return words + ["--appendonly", "yes", "--appendfsync", self.log, "--auto-aof-rewrite-percentage", "0"]

    def load_strings(self, users, batch=1000):
        """Loads only a ready decision for each user, as a plain string."""
        with self.client() as client:
            for first in range(0, users, batch):
                client.pipeline([("SET", f"login:user{number:012}", "ALLOW") for number in range(first, min(first + batch, users))])

    def rewrite_log(self, patience=600):
        """Rewrites the log into one compact file, the counterpart of a snapshot."""
        with self.client() as client:
            client.call("BGREWRITEAOF")
            wait_until(
                lambda: resp.info(client, "persistence").get("aof_rewrite_in_progress") == "0",
                "Redis to rewrite its log", patience, every=0.05)


class Postgres:
    """A private PostgreSQL cluster; run as the user postgres when this script is root."""

    @staticmethod
    def programs():
        """The folder of PostgreSQL's programs, or None if it is not installed."""
        folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[-2]))
        if folders:
            return folders[-1]
        found = shutil.which("initdb")
        return os.path.dirname(os.path.realpath(found)) if found else None

    def __init__(self, bench, name="postgres"):
        self.bench = bench
        self.name = name
        self.folder = self.programs()
        self.port = free_port()
        self.identity = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        self.data = bench.make_folder(self.name)
        if self.identity:
            shutil.chown(self.data, "postgres", "postgres")

    def _run(self, *words, **options):
        words = (os.path.join(self.folder, words[0]),) + words[1:]
        done = subprocess.run(words, capture_output=True, text=True, cwd=self.data, **self.identity, **options)
        if done.returncode != 0:
            raise RuntimeError(f"{words[0]}: {done.stderr.strip()}")
        return done.stdout

    def start(self):
        cluster = os.path.join(self.data, "cluster")
        self._run("initdb", "-D", cluster, "-A", "trust", "-U", "bench", "--no-instructions")
        self.process = self.bench.start(
            [os.path.join(self.folder, "postgres"), "-D", cluster, "-p", str(self.port), "-k", self.data,
             "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=512MB", "-c", "max_connections=120"],
            # SIGTERM would wait for every client to leave; SIGINT ends the sessions.
            self.name, ending=signal.SIGINT, cwd=self.data, **self.identity)
        wait_until(self._is_ready, "PostgreSQL to be ready")

    def _is_ready(self):
        try:
            self.sql("select 1")
            return True
        except RuntimeError:
            return False

    def sql(self, text):
        return self._run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", "-d", "postgres",
                         "-v", "ON_ERROR_STOP=1", "-qAt", input=text)

    def load(self, users):
        self.sql(f"""
            create table users (id bigint primary key, username text not null unique, first text, last text, email text,
              status text not null, until timestamptz, created timestamptz not null);
            create table access (user_id bigint, product text, licence text, primary key (user_id, product));
            create table sessions (token text primary key, user_id bigint not null, product text not null,
              created timestamptz not null, expires timestamptz not null);
            insert into users
              select n + 1, 'user' || lpad(n::text, 12, '0'), 'Ana', 'Novak', 'user' || lpad(n::text, 12, '0') || '@acme.test',
                'active', null, now() from generate_series(0, {users - 1}) n;
            insert into access select id, 'payroll', null from users;
            insert into access select id, 'leave', null from users where id % 2 = 0;
            vacuum analyze users; vacuum analyze access;
            """)

    DECISION = """\\set n random(0, {last})
select case when u.status <> 'active' then 'DENY status-' || u.status
  when a.product is null then 'DENY product-disabled'
  when u.until < now() then 'DENY outside-employment' else 'ALLOW' end
from users u left join access a on a.user_id = u.id and a.product = 'payroll'
where u.username = 'user' || lpad((:n)::text, 12, '0');
"""

    SESSION = """\\set n random(0, {last})
insert into sessions select md5(random()::text || clock_timestamp()::text), id, 'payroll', now(), now() + interval '12 hours'
from users where username = 'user' || lpad((:n)::text, 12, '0');
"""

    def pgbench(self, script, users, clients, seconds):
        """Runs a prepared script; returns transactions a second."""
        path = os.path.join(self.bench.folder, "pgbench.sql")
        with open(path, "w") as file:
            file.write(script.format(last=users - 1))
        os.chmod(path, 0o644)
        output = self._run(
            "pgbench", "-n", "-M", "prepared", "-f", path, "-c", str(clients), "-j", "1", "-T", str(seconds),
            "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", "postgres")
        for line in output.splitlines():
            if line.startswith("tps = "):
                return float(line.split()[2])
        raise RuntimeError(f"pgbench printed no tps:\n{output}")
