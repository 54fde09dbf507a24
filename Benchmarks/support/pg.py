"""A small client for PostgreSQL's protocol: prepared statements with text parameters, timed one by one."""

import socket
import struct


class Client:
    """A connection to a server that trusts its callers."""

    def __init__(self, port, user="bench", database="postgres", patience=600):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = struct.pack("!i", 196608) + b"".join(
            word.encode() + b"\0" for word in ("user", user, "database", database)) + b"\0"
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self._until_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def prepare(self, name, sql):
        self.socket.sendall(_message(b"P", name.encode() + b"\0" + sql.encode() + b"\0" + struct.pack("!h", 0)) + SYNC)
        self._until_ready()

    def execution(self, name, parameters):
        """The bytes that run a prepared statement."""
        values = b"".join(struct.pack("!i", len(value)) + value for value in (str(p).encode() for p in parameters))
        bind = b"\0" + name.encode() + b"\0" + struct.pack("!hh", 0, len(parameters)) + values + struct.pack("!h", 0)
        return _message(b"B", bind) + _message(b"E", b"\0" + struct.pack("!i", 0)) + SYNC

    def run(self, execution):
        """Runs it; returns once all rows are here."""
        self.socket.sendall(execution)
        data = b""
        # ReadyForQuery is the last message, and six bytes long.
        while data[-6:-1] != b"Z\0\0\0\5":
            part = self.socket.recv(1 << 20)
            if not part:
                raise ConnectionError("PostgreSQL closed the connection")
            data = data[-6:] + part if data else part
            if data[:1] == b"E":
                raise RuntimeError(data[5:].replace(b"\0", b" ").decode(errors="replace"))

    def _until_ready(self):
        data = b""
        while data[-6:-1] != b"Z\0\0\0\5":
            part = self.socket.recv(1 << 16)
            data += part
            if not part or data[:1] == b"E":
                raise RuntimeError(data[5:].replace(b"\0", b" ").decode(errors="replace"))


def _message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


SYNC = _message(b"S", b"")
