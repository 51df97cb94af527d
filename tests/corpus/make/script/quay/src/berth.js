"use strict";
const berths = { A1: { depth: 9 } };
class Berth {
  constructor(name) { this.name = name; }
  depth() {
    return berths[this.name].depth;  // «berthjs»
  }
}
exports.fits = (ship) => new Berth(ship.berth).depth() > ship.draught;
