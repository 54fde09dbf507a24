"""A small client for the Redis protocol, for set-up and questions that are not measured."""

import socket


class ReplyError(Exception):
    """The server answered with an error."""


class Client:
    def __init__(self, port, host="127.0.0.1", patience=60, tls=None):
        """`tls` is an `ssl.SSLContext`; without one nothing is encrypted."""
        self.socket = socket.create_connection((host, port), timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.reader.close()
        self.socket.close()

    def call(self, *words):
        return self.pipeline([words])[0]

    def pipeline(self, requests):
        """Sends all requests, then reads all answers; the first error is raised."""
        return self.send_encoded([encoded(words) for words in requests])

    def each(self, requests):
        """Sends all requests; the answers as they come, errors among them."""
        self.socket.sendall(b"".join(encoded(words) for words in requests))
        for _ in requests:
            try:
                yield self._reply()
            except ReplyError as error:
                yield error

    def send_encoded(self, requests):
        """The same for requests that are encoded already."""
        self.socket.sendall(b"".join(requests))
        return [self._reply() for _ in requests]

    def await_answer(self, request):
        """Sends an encoded request and returns once all of its answer is here. It is not decoded, which would take a
        client in Python longer than the server: the PONG behind it tells where it ends."""
        self.socket.sendall(request + PING)
        data = self.socket.recv(1 << 20)
        if data[:1] == b"-":
            raise ReplyError(data.decode(errors="replace"))
        while not data.endswith(b"+PONG\r\n"):
            data = data[-16:] + self.socket.recv(1 << 20)

    def _reply(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        lead, rest = line[:1], line[1:-2]
        if lead == b"+":
            return rest.decode()
        if lead == b"-":
            raise ReplyError(rest.decode())
        if lead == b":":
            return int(rest)
        if lead == b"$":
            length = int(rest)
            return None if length < 0 else self.reader.read(length + 2)[:-2].decode(errors="replace")
        if lead == b"*":
            count = int(rest)
            return None if count < 0 else [self._reply() for _ in range(count)]
        raise ConnectionError(f"not a reply: {line!r}")


def encoded(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


PING = encoded(("PING",))


def info(client, section):
    """INFO as a dictionary of texts."""
    lines = client.call("INFO", section).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
