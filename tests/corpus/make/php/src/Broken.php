<?php

namespace Depot;

class Broken
{
    public function size(): int
    {
        return 3
    }
}
