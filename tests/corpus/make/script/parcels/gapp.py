import logging
from parcels import tariff

def create_app():
    base = tariff.fee_for({"zone": "Z", "grams": 10})
    def app(environ, start):
        start("200 OK", [])
        return [b"x"]
    return app
