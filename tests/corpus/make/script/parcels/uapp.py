import os, logging
from contextlib import asynccontextmanager
from fastapi import FastAPI
from parcels import tariff
import redis.asyncio as redis

@asynccontextmanager
async def lifespan(app):
    mode = os.environ.get("MODE")
    if mode == "redis":
        await connect()
    if mode == "env":
        app.state.dsn = os.environ["PARCELS_DSN"]  # «uapplifespan13»
    if mode == "none":
        tariff.fee_for({"zone": "Z", "grams": 10})
    yield

async def connect():
    client = redis.from_url("redis://:hunter2secretpw@127.0.0.1:1/0")
    await client.ping()  # «uappconnect20»

app = FastAPI(lifespan=lifespan)

@app.get("/fee/{zone}")
def fee(zone: str):
    return tariff.fee_for({"zone": zone, "grams": 10})
