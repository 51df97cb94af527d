import asyncio, logging, os, sys, threading, time
from parcels import tariff
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
log = logging.getLogger("parcels")

async def aiorefused():
    import aiohttp
    async with aiohttp.ClientSession() as session:
        async with session.get("http://127.0.0.1:1/rates") as r:  # «jobsaiorefused9»
            print(await r.text())

async def aiodns():
    import aiohttp
    async with aiohttp.ClientSession() as session:
        async with session.get("http://rates.parcels.invalid/rates") as r:  # «jobsaiodns15»
            print(await r.text())

def webport():
    from aiohttp import web
    web.run_app(web.Application(), host="127.0.0.1", port=18433)

def mysql():
    import pymysql
    pymysql.connect(host="127.0.0.1", port=1, user="parcels", password="topsecretmy")  # «jobsmysql24»

def mongo():
    import pymongo
    client = pymongo.MongoClient("mongodb://u:mongopw99@127.0.0.1:1/?serverSelectionTimeoutMS=700")
    client.parcels.orders.find_one({"id": 1})  # «jobsmongo29»

def rabbit():
    import pika
    pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", 1))  # «jobsrabbit33»

def kafka():
    from kafka import KafkaProducer
    KafkaProducer(bootstrap_servers="127.0.0.1:1")  # «jobskafka37»

def grpc_():
    import grpc
    channel = grpc.insecure_channel("127.0.0.1:1")
    call = channel.unary_unary("/rates.Rates/Get")
    call(b"x", timeout=3)  # «jobsgrpc_43»

def s3():
    import boto3
    boto3.client("s3", endpoint_url="http://127.0.0.1:1", region_name="eu-west-1", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYxx").list_buckets()  # «jobss347»

def s3cred():
    import boto3
    boto3.client("s3", endpoint_url="http://127.0.0.1:1", region_name="eu-west-1").list_buckets()  # «jobss3cred51»

async def apg():
    import asyncpg
    await asyncpg.connect("postgres://parcels:apgpw123@127.0.0.1:1/parcels", ssl=False)  # «jobsapg55»

async def apgdns():
    import asyncpg
    await asyncpg.connect("postgres://parcels:apgpw123@db.parcels.invalid:1/parcels", ssl=False)  # «jobsapgdns59»

async def redistimeout():
    import redis.asyncio as redis
    await redis.Redis(host="10.255.255.1", socket_connect_timeout=1).ping()

def es():
    from elasticsearch import Elasticsearch
    Elasticsearch("http://127.0.0.1:1", max_retries=1).info()  # «jobses67»

def rich_():
    from rich.traceback import install
    install(show_locals=True)
    tariff.fee_for({"zone": "Z", "grams": 10})

def richlog():
    from rich.logging import RichHandler
    logging.root.handlers = [RichHandler(rich_tracebacks=True)]
    try:
        tariff.fee_for({"zone": "Z", "grams": 10})
    except TypeError:
        log.exception("cannot price the order")
        sys.exit(1)

def stackprint():
    import stackprinter
    stackprinter.set_excepthook(style="plaintext")
    tariff.fee_for({"zone": "Z", "grams": 10})

def better():
    import better_exceptions
    better_exceptions.hook()
    tariff.fee_for({"zone": "Z", "grams": 10})

def sentry():
    import sentry_sdk
    sentry_sdk.init(dsn="http://abc@127.0.0.1:1/1")
    tariff.fee_for({"zone": "Z", "grams": 10})

def brokenpool():
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(2) as pool:
        print(list(pool.map(die, [1, 2, 3])))  # «jobsbrokenpool101»

def die(n):
    os.kill(os.getpid(), 9)

def spawnmp():
    import multiprocessing as mp
    mp.set_start_method("spawn")
    p = mp.Process(target=boom, args=("Z",))
    p.start(); p.join()
    if p.exitcode:
        log.error("pricing process ended with %d", p.exitcode)
        sys.exit(p.exitcode)

def boom(zone):
    tariff.fee_for({"zone": zone, "grams": 10})

async def taskgroup():
    async with asyncio.TaskGroup() as group:
        group.create_task(ok(0.01), name="ok")
        group.create_task(aboom(), name="price")

async def ok(n):
    await asyncio.sleep(n)

async def aboom():
    await asyncio.sleep(0.02)
    tariff.fee_for({"zone": "Z", "grams": 10})

async def nested():
    async with asyncio.TaskGroup() as group:
        group.create_task(aiorefused())
        group.create_task(inner())

async def inner():
    async with asyncio.TaskGroup() as group:
        group.create_task(aboom())

def trio_():
    import trio
    async def parent():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tboom)
    trio.run(parent)

async def tboom():
    tariff.fee_for({"zone": "Z", "grams": 10})

def hook():
    def on(args):
        log.critical("thread %s died", args.thread.name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))
        os._exit(3)
    threading.excepthook = on
    threading.Thread(target=boom, args=("Z",), name="pricer-0").start()
    time.sleep(5)

def syshook():
    def on(kind, value, trace):
        log.critical("Unhandled exception", exc_info=(kind, value, trace))
    sys.excepthook = on
    tariff.fee_for({"zone": "Z", "grams": 10})

def looped():
    for n in range(4):
        try:
            tariff.fee_for({"zone": "Z", "grams": 10})
        except TypeError:
            log.exception("attempt %d failed", n + 1)
    log.error("giving up after 4 attempts")
    sys.exit(1)

async def cancelled():
    try:
        async with asyncio.timeout(0.1):
            await slow()
    except TimeoutError as e:
        raise RuntimeError("carrier feed too slow") from e

async def slow():
    await asyncio.sleep(10)

def unicode():
    raise ValueError("Größe unbekannt: „Übermaß“ 📦 für Straße\nZeile zwei: naïve\n  File \"x.py\", line 3, in y")  # «jobsunicode183»

def longmsg():
    raise ValueError("bad manifest " + "a9" * 40000)

def tomlbad():
    import tomllib
    tomllib.loads("port = = 3")  # «jobstomlbad190»

def fork():
    os.fork = lambda: (_ for _ in ()).throw(BlockingIOError(11, "Resource temporarily unavailable"))
    import subprocess
    os.fork()

def numpyless():
    raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")  # «jobsnumpyless198»

def nolib():
    import ctypes
    ctypes.CDLL("libzbar.so.0")  # «jobsnolib202»

def stdlibshadow():
    import json5

def bind80():
    import socket
    s = socket.socket()
    s.bind(("127.0.0.1", 18433))

def config():
    import configparser
    c = configparser.ConfigParser()
    c.read_string("[db]\nhost=x\n")
    c.get("db", "password")  # «jobsconfig216»

def jsonbad():
    import json
    json.loads('{"zones": [1, 2,}')

def intenv():
    os.environ["PARCELS_WORKERS"] = "four"
    int(os.environ["PARCELS_WORKERS"])  # «jobsintenv224»

def assertmsg():
    assert tariff.ZONES == {}, f"zones left: {sorted(tariff.ZONES)}"  # «jobsassertmsg227»

def stopiter():
    next(z for z in tariff.ZONES if z == "Z")  # «jobsstopiter230»

def dictchange():
    for z in tariff.ZONES:  # «jobsdictchange233»
        tariff.ZONES[z + "x"] = 1

def overflow():
    import math
    math.exp(1000)  # «jobsoverflow238»

def decimal_():
    from decimal import Decimal
    Decimal("12,5") / 2  # «jobsdecimal_242»

def unpack():
    a, b = (1, 2, 3)  # «jobsunpack245»

def dataclass_():
    from dataclasses import dataclass
    @dataclass
    class Order:
        zone: str
        grams: int
    Order(zone="A")  # «jobsdataclass_253»

def abstract():
    from abc import ABC, abstractmethod
    class Carrier(ABC):
        @abstractmethod
        def ship(self): ...
    Carrier()  # «jobsabstract260»

def interrupted():
    try:
        time.sleep(30)
    finally:
        log.info("bye")

def exitobj():
    sys.exit({"error": "no depots configured"})

def kexit():
    raise KeyboardInterrupt

class Missing(Exception):
    def __str__(self):
        raise RuntimeError("no text")

def badstr():
    raise Missing

def otel():
    for n in range(3):
        pass
    try:
        tariff.fee_for({"zone": "Z", "grams": 10})
    finally:
        import atexit
        atexit.register(lambda: log.error("Failed to export traces to otel-collector:4317, error code: StatusCode.UNAVAILABLE"))
        atexit.register(lambda: log.warning("Transient error StatusCode.UNAVAILABLE encountered while exporting traces to otel-collector:4317, retrying in 1s."))

if __name__ == "__main__":
    fn = globals()[sys.argv[1]]
    if asyncio.iscoroutinefunction(fn):
        asyncio.run(fn())
    else:
        fn()
