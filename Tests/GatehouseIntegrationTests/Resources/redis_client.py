"""Uses a Gatehouse server through redis-py as an application would.

Arguments: port, protocol version (2 or 3). Ends with "all passed" and exit code 0, or with a traceback.
"""

import sys
import threading

import redis

port, version = int(sys.argv[1]), int(sys.argv[2])


def connect(**options):
    return redis.Redis(port=port, protocol=version, decode_responses=True, **options)


def mapping(reply):
    """A map of RESP3, or the flat list that stands for it in RESP2."""
    if isinstance(reply, dict):
        return reply
    return dict(zip(reply[::2], reply[1::2]))


def expect_error(error, start, *command):
    try:
        client.execute_command(*command)
    except error as caught:
        assert str(caught).startswith(start), (command, caught)
    else:
        raise AssertionError(f"{command} was not refused")


client = connect(client_name="tests")

# Connecting and the commands that redis-py itself knows.
assert client.ping() is True
assert client.echo("binary \r\n text") == "binary \r\n text"
assert client.client_getname() == "tests"
assert client.client_id() > 0
assert any(entry["name"] == "tests" for entry in client.client_list())
info = client.info()
assert info["role"] == "master" and int(info["tcp_port"]) == port
assert client.info("clients")["connected_clients"] >= 1
assert client.config_get("slowlog-length")["slowlog-length"] == "128"
assert client.config_set("slowlog-length", "64")
assert client.dbsize() >= 0
assert client.command_count() == len(client.command())
assert client.time()[0] > 0
assert client.role()[0] in ("master", b"master")

# Objects are maps, refusals are data, errors are exceptions.
client.execute_command("PRODUCT.CREATE", "payroll")
ana = mapping(client.execute_command("USER.CREATE", "ana", "FIRST", "Ana", "PRODUCT", "payroll"))
assert ana["username"] == "ana", ana
assert client.execute_command("LOGIN.CHECK", "ana", "payroll") == "ALLOW"
assert client.execute_command("LOGIN.CHECK", "bo", "payroll") == "DENY unknown-user"
session = mapping(client.execute_command("SESSION.CREATE", "ana", "payroll"))
seen = mapping(client.execute_command("SESSION.CHECK", session["session"]))
assert seen["username"] == "ana" and seen["actor"] is None, seen
assert client.execute_command("SESSION.CHECK", "nothing") is None
expect_error(redis.ResponseError, "NOTFOUND", "USER.GET", "nobody")
expect_error(redis.ResponseError, "CONFLICT", "USER.CREATE", "ANA")
expect_error(redis.ResponseError, "unknown command", "FROBNICATE")

# A pipeline, and replies in order with an error between them.
pipeline = client.pipeline(transaction=False)
for number in range(200):
    pipeline.execute_command("ECHO", str(number))
    pipeline.execute_command("USER.CREATE", f"user{number}", "PRODUCT", "payroll")
pipeline.execute_command("USER.GET", "nobody")
pipeline.ping()
replies = pipeline.execute(raise_on_error=False)
assert [reply for reply in replies[0:400:2]] == [str(number) for number in range(200)]
assert isinstance(replies[400], redis.ResponseError) and replies[401] is True

# A pool of connections, used by several threads.
pool = redis.ConnectionPool(port=port, protocol=version, decode_responses=True, max_connections=8)
failures = []


def work(worker):
    try:
        own = redis.Redis(connection_pool=pool)
        for number in range(50):
            assert own.execute_command("LOGIN.CHECK", f"user{number}", "payroll") == "ALLOW"
            timer = mapping(own.execute_command("TIMER.START", f"user{worker * 50 + number}", "NOTE", "x"))
            assert timer["note"] == "x"
    except Exception as error:  # shown below, with all others
        failures.append(error)


threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failures, failures

# MONITOR, and a service identity.
with client.monitor() as monitor:
    connect().execute_command("LOGIN.CHECK", "ana", "payroll")
    seen = next(line for line in monitor.listen() if "LOGIN.CHECK" in line["command"])
    assert "payroll" in seen["command"]

secret = mapping(client.execute_command("SERVICE.CREATE", "app", "ADMIN"))["secret"]
named = connect(username="app", password=secret)
assert named.execute_command("LOGIN.CHECK", "ana", "payroll") == "ALLOW"
try:
    connect(username="app", password="wrong").ping()
except redis.AuthenticationError:
    pass
else:
    raise AssertionError("a wrong secret was accepted")
try:
    connect().execute_command("LOGIN.CHECK", "ana", "payroll")
except redis.AuthenticationError:
    pass
else:
    raise AssertionError("no authentication was asked for")

print("all passed")
