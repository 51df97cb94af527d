<?php
declare(strict_types=1);
namespace Mill;

final class Scale
{
    /** @var array<string, object> */
    private array $bins = [];

    public function bin(string $name): ?object
    {
        return $this->bins[$name] ?? null;
    }

    public function weigh(string $name): int  // «Scaleweigh15»
    {
        return $this->bin($name)->grams();  // «Scaleweigh17»
    }
}
