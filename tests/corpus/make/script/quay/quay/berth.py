BERTHS = {"A1": {"depth": 9}}

class Berth:
    def __init__(self, name):
        self.name = name

    def depth(self):
        return BERTHS[self.name]["depth"]  # «berthpy»

def fits(ship):
    return Berth(ship["berth"]).depth() > ship["draught"]
