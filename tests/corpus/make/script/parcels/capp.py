from celery import Celery
import os
app = Celery("parcels", broker="redis://:s3cr3tbrokerpw@127.0.0.1:1/0")
app.conf.broker_connection_retry_on_startup = os.environ.get("RETRY") == "1"
app.conf.broker_connection_retry = os.environ.get("RETRY") == "1"

@app.task
def weigh(n):
    return n
