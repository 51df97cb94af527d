import std/os

type Crane = ref object
  load: int

proc at(cranes: seq[int], n: int): int =
  cranes[n] # «crane»

echo "dock 0.2 starting"
let cranes = @[1, 2, 3]
case paramStr(1)
of "index": echo at(cranes, 7)
of "raise": raise newException(ValueError, "crane 3 is blocked") # «blocked»
else: echo readFile("/etc/dock/plan.txt") # «dock-plan»
