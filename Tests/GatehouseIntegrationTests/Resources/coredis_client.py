"""Uses a Gatehouse server through coredis, which decides by the server's version what it lets an application ask.

Arguments: port. Ends with "all passed" and exit code 0, or with a traceback.
"""

import asyncio
import sys
import warnings

import coredis
from coredis.commands.request import CommandRequest
from coredis.tokens import PureToken

port = int(sys.argv[1])
# It says of each handshake command that it would rather send it itself.
warnings.simplefilter("ignore")


async def use(client):
    async def ask(name, *words):
        return await client.execute_command(CommandRequest(name, *words, execution_parameters={}))

    # Commands that are kept back from servers that are too old for them.
    about = await client.client_info()
    assert about["cmd"] == "client|info" and int(about["watch"]) == 0, about
    assert await client.client_no_evict(PureToken.ON)
    assert await client.client_no_touch(PureToken.ON)
    assert await client.client_setinfo(lib_name="tests")
    assert "config|get" in await client.command_list()
    assert "client|list" in (await client.command_docs("client|list"))
    assert "ping" in await client.latency_histogram("ping", "client")
    assert await client.client_kill(maxage=1000) == 0
    assert any(entry["lib-name"] == "tests" for entry in await client.client_list())
    assert (await client.config_get(["maxclients", "save"]))["maxclients"] == "10000"
    assert await client.config_set({"slowlog-max-len": 99})
    assert await client.slowlog_len() >= 0
    assert (await client.info())["redis_version"].startswith("7.")
    assert "login.check" in await client.command()

    await ask(b"PRODUCT.CREATE", "payroll")
    await ask(b"USER.CREATE", "ana", "PRODUCT", "payroll")
    await ask(b"USER.CREATE", "lou", "PRODUCT", "payroll", "STATUS", "locked")
    assert await ask(b"LOGIN.CHECK", "ana", "payroll") == "ALLOW"
    assert await ask(b"LOGIN.CHECK", "lou", "payroll") == "DENY status-locked"

    async with client.pipeline(transaction=True) as pipeline:
        ping, identity = pipeline.ping(), pipeline.client_id()
    assert await ping == "PONG" and await identity > 0


async def main():
    async with coredis.Redis(port=port, decode_responses=True) as client:
        assert await client.ping() == "PONG"
        await use(client)
        secret = await client.execute_command(
            CommandRequest(b"SERVICE.CREATE", "app", "ADMIN", execution_parameters={})
        )
    # A secret alone, as most applications configure it.
    async with coredis.Redis(port=port, password=secret["secret"], decode_responses=True) as client:
        assert (await client.client_info())["user"] == "app"


asyncio.run(main())
print("all passed")
