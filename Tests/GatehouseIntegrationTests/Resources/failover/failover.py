"""failover.py LIBRARY host:port,… NAME: creates users NAME1, NAME2, … through a client of Redis Sentinel, until it is killed.

Prints `ok NAMEn` for each that it was told of, and `failed …` for what went wrong. LIBRARY is redis, redis-async,
valkey or coredis.
"""

import asyncio
import sys
import time
import warnings

warnings.simplefilter("ignore")
library, addresses, name = sys.argv[1:]
nodes = [(host, int(port)) for host, port in (address.split(":") for address in addresses.split(","))]
SERVICE = "gatehouse"
PAUSE = 0.1


def words(number):
    return ["USER.CREATE", f"{name}{number}", "PRODUCT", "payroll", "STATUS", "active"]


def tell(number, error=None):
    print(f"failed {type(error).__name__} {error}" if error else f"ok {name}{number}", flush=True)


def blocking():
    if library == "redis":
        from redis.sentinel import Sentinel
    else:
        from valkey.sentinel import Sentinel
    leader = Sentinel(nodes, socket_timeout=2).master_for(SERVICE, socket_timeout=2)
    number = 0
    while True:
        number += 1
        try:
            leader.execute_command(*words(number))
            tell(number)
        except Exception as error:
            tell(number, error)
        time.sleep(PAUSE)


async def redis_async():
    from redis.asyncio.sentinel import Sentinel

    leader = Sentinel(nodes, socket_timeout=2).master_for(SERVICE, socket_timeout=2)
    number = 0
    while True:
        number += 1
        try:
            await leader.execute_command(*words(number))
            tell(number)
        except Exception as error:
            tell(number, error)
        await asyncio.sleep(PAUSE)


async def coredis():
    from coredis import Sentinel
    from coredis.commands.request import CommandRequest

    number = 0
    async with Sentinel(nodes, stream_timeout=2) as sentinel:
        async with sentinel.primary_for(SERVICE, stream_timeout=2) as leader:
            while True:
                number += 1
                try:
                    command, *arguments = words(number)
                    await leader.execute_command(CommandRequest(command.encode(), *arguments, execution_parameters={}))
                    tell(number)
                except Exception as error:
                    tell(number, error)
                await asyncio.sleep(PAUSE)


if library == "redis-async":
    asyncio.run(redis_async())
elif library == "coredis":
    asyncio.run(coredis())
else:
    blocking()
