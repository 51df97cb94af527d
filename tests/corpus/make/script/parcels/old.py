import sys, logging, threading, subprocess, os
from parcels import tariff
logging.basicConfig(level=logging.INFO)
def run(mode):
    if mode == "chain":
        try:
            tariff.fee_for({"zone": "Z", "grams": 10})
        except TypeError as e:
            raise RuntimeError("price run 3f2504e0-4f89-11d3-9a0c-0305e82c3301 failed")
    if mode == "sub":
        subprocess.check_call(["false"])  # «oldrun11»
    if mode == "rec":
        run(mode)
    if mode == "lambda":
        return sorted([3, "x"], key=lambda v: v + 1)  # «oldlambda15»
    if mode == "comp":
        return [tariff.fee(z, 10) for z in ["A", "Z"]]
    if mode == "gen":
        return sum(tariff.fee(z, 10) for z in ["A", "Z"])
    if mode == "exec":
        exec(compile("1/0", "<rule 17>", "exec"))  # «oldrun21»
run(sys.argv[1])
