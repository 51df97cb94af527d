<?php
interface Mill { function grind(int $n): int; }
class Small implements Mill { function grind(string $n): int { return 1; } }  // «ifacetop3»
