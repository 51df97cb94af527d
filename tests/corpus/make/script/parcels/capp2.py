from celery import Celery
from parcels import tariff
app = Celery("parcels", broker="memory://")
FEE = tariff.fee_for({"zone": "Z", "grams": 10})
