"""Tariffs."""
ZONES = {"A": {"fee": 3}, "B": {"fee": 5}}

def zone_of(code):
    return ZONES.get(code)

def fee(code, grams):
    zone = zone_of(code)
    return zone["fee"] * grams // 100  # «tarifffee9»

def fee_for(order):
    return fee(order["zone"], order["grams"])
