<?php

namespace Depot;

interface Sized
{
    public function size(): int;
}

class Wrong implements Sized
{
}
