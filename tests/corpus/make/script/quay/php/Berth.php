<?php
namespace Quay;
final class Berth
{
    private const DEPTHS = ["A1" => 9];
    public function __construct(private string $name) {}
    public function depth(): int
    {
        return self::DEPTHS[$this->name] ?? throw new NoBerth("no berth {$this->name}");  // «berthphp»
    }
}
final class NoBerth extends \RuntimeException {}
