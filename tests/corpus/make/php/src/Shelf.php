<?php

declare(strict_types=1);

namespace Depot\Stock;

class ShelfException extends \RuntimeException
{
}

class Shelf
{
    private ?Owner $owner = null;
    private array $crates = [];

    public function ownerLength(): int
    {
        return strlen($this->owner->name()); // culprit: nil
    }

    public function average(int $total): int
    {
        return intdiv($total, count($this->crates)); // culprit: divide
    }

    public function modulo(int $total): int
    {
        return $total % count($this->crates); // culprit: modulo
    }

    public function weight(string $crate): int
    {
        return $crate; // culprit: type
    }

    public function argument(): int
    {
        return $this->weight(7); // culprit: argument
    }

    public function seal(string $state): void
    {
        throw new ShelfException("shelf is sealed: $state"); // culprit: sealed
    }

    public function sealAgain(string $state): void
    {
        throw new ShelfException("shelf is sealed: $state"); // culprit: sealed-again
    }

    public function close(string $month): void
    {
        try {
            $this->average(10);
        } catch (\DivisionByZeroError $e) {
            throw new ShelfException("cannot close $month", 3, $e);
        }
    }

    public function closeYear(string $year): void
    {
        try {
            $this->close("$year-12");
        } catch (ShelfException $e) {
            throw new \LogicException("cannot close $year", 0, $e);
        }
    }

    public function multi(): void
    {
        throw new ShelfException("first line\nsecond line at position 3\n  third"); // culprit: multi
    }

    public function match(int $kind): string
    {
        return match ($kind) {
            1 => 'road', // culprit: match
        };
    }

    public function undefined(): void
    {
        $this->pack(); // culprit: undefined
    }

    public function functionGone(): void
    {
        depot_pack(7); // culprit: function-gone
    }

    public function classGone(): void
    {
        new Ledger(); // culprit: class-gone
    }

    public function depth(int $level): int
    {
        return $this->depth($level + 1) + 1; // culprit: recursion
    }

    public function fill(): void
    {
        $all = [];
        while (true) {
            $all[] = str_repeat('x', 1 << 20); // culprit: memory
        }
    }

    public function spin(): void
    {
        while (true) { // culprit: spin
        }
    }

    public function closure(): void
    {
        array_map(function (int $crate) {
            return $this->owner->name() . $crate; // culprit: closure
        }, [1]);
    }

    public static function build(): self
    {
        return (new self())->at(9);
    }

    public function at(int $position): self
    {
        throw new \OutOfBoundsException("no crate at $position"); // culprit: bounds
    }

    public function check(): void
    {
        assert($this->crates !== [], 'shelf is empty'); // culprit: assertion
    }
}
