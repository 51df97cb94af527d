"use strict";
const rows = { A: { left: 4 }, B: { left: 9 } };

function rowOf(code) {
  return rows[code];
}

function left(code) {
  return rowOf(code).left;  // «seatsleft9»
}

class Hall {
  reserve(code, n) {
    return left(code) - n;
  }
}
module.exports = { left, Hall, rows };
