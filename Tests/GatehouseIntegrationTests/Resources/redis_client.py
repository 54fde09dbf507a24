"""Uses a Gatehouse server through redis-py, or valkey-py, which began as its copy, as an application would.

Arguments: port, protocol version (2 or 3), library. Ends with "all passed" and exit code 0, or with a traceback.
"""

import importlib
import sys
import threading

port, version = int(sys.argv[1]), int(sys.argv[2])
redis = importlib.import_module(sys.argv[3])
Client = getattr(redis, "Redis", None) or redis.Valkey
# Before its version 5, redis-py spoke version 2 only and had no word for it.
speaks = {} if redis.__version__.startswith("4.") else {"protocol": version}


def connect(**options):
    return Client(port=port, decode_responses=True, **speaks, **options)


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


def expect_refusal(text, work):
    try:
        work()
    except redis.RedisError as caught:
        assert text in str(caught), caught
    else:
        raise AssertionError(f"{text} was not refused")


client = connect(client_name="tests")

# Connecting and the commands that redis-py itself knows.
assert client.ping() is True
assert client.echo("binary \r\n text") == "binary \r\n text"
assert client.client_getname() == "tests"
assert client.client_id() > 0
assert any(entry["name"] == "tests" for entry in client.client_list())
about = client.client_info()
assert about["name"] == "tests" and int(about["qbuf-free"]) >= 0 and about["cmd"] == "client|info", about
assert int(about["multi"]) == -1 and int(about["tot-mem"]) >= 0 and about["user"] == "default", about
info = client.info()
assert info["redis_version"].startswith("7."), info["redis_version"]
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
client.execute_command("USER.CREATE", "lou", "PRODUCT", "payroll", "STATUS", "locked")
assert client.execute_command("LOGIN.CHECK", "lou", "payroll") == "DENY status-locked"
assert client.execute_command("IMPERSONATE.CAN", "ana", "lou").startswith("DENY ")
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

# A pipeline is a transaction unless told otherwise: nothing of it happens before it is whole.
watcher = connect()
pipeline = client.pipeline()
pipeline.execute_command("USER.CREATE", "pat", "PRODUCT", "payroll")
pipeline.execute_command("TIMER.START", "pat")
pipeline.execute_command("LOGIN.CHECK", "pat", "payroll")
pipeline.execute_command("TIMER.START", "pat")
pipeline.ping()
replies = pipeline.execute(raise_on_error=False)
assert mapping(replies[0])["username"] == "pat" and mapping(replies[1])["user"], replies
assert replies[2] == "ALLOW" and str(replies[3]).startswith("CONFLICT") and replies[4] is True, replies
count = client.execute_command("USER.COUNT")
pipeline = client.pipeline()
pipeline.execute_command("USER.CREATE", "zoe")
pipeline.execute_command("FROBNICATE")
expect_refusal("unknown command", pipeline.execute)
assert watcher.execute_command("USER.COUNT") == count
pipeline = client.pipeline()
expect_refusal("WATCH is not supported", lambda: pipeline.watch("pat"))
pipeline.reset()
assert client.ping() is True
assert client.client_info()["multi"] in (-1, "-1")

# A connection that the server closes is made anew.
assert watcher.client_kill_filter(_id=client.client_id()) == 1
try:
    client.ping()
except redis.ConnectionError:
    pass
assert client.ping() is True and client.client_getname() == "tests"

# A pool of connections, used by several threads.
pool = redis.ConnectionPool(port=port, decode_responses=True, max_connections=8, **speaks)
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

try:
    connect(password="none is set").ping()
except redis.AuthenticationError:
    pass
else:
    raise AssertionError("a password was accepted where there is none")
secret = mapping(client.execute_command("SERVICE.CREATE", "app", "ADMIN"))["secret"]
alone = connect(password=secret)
assert alone.execute_command("LOGIN.CHECK", "ana", "payroll") == "ALLOW"
assert alone.client_info()["user"] == "app"
named = connect(username="app", password=secret)
assert named.execute_command("LOGIN.CHECK", "ana", "payroll") == "ALLOW"
for wrong in [{"username": "app", "password": "wrong"}, {"password": "wrong"}]:
    try:
        connect(**wrong).ping()
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
