<?php
require __DIR__ . "/Berth.php";
require_once "/usr/share/php/Monolog/autoload.php";
$how = getenv("HOW") ?: "plain";
function fits(array $ship): bool { return (new Quay\Berth($ship["berth"]))->depth() > $ship["draught"]; }  // «mainphp»
function line(bool $trace, string $fmt = null): Monolog\Logger {
    $h = new Monolog\Handler\StreamHandler("php://stderr");
    $f = new Monolog\Formatter\LineFormatter($fmt, null, true, true, $trace); $h->setFormatter($f);
    return new Monolog\Logger("quay", [$h]);
}
$on = match ($how) {
    "plain" => null,
    "printed" => fn ($e) => fwrite(STDERR, "$e\n"),
    "errorlog" => fn ($e) => error_log("PHP died: $e"),
    "short" => fn ($e) => fwrite(STDERR, get_class($e) . ": {$e->getMessage()} in {$e->getFile()}:{$e->getLine()}\n{$e->getTraceAsString()}\n"),
    "noplace" => fn ($e) => fwrite(STDERR, "Fatal: {$e->getMessage()}\n{$e->getTraceAsString()}\n"),
    "mono" => fn ($e) => line(true)->critical("quay died", ["exception" => $e]),
    "monomsg" => fn ($e) => line(true)->critical($e->getMessage() . "\n" . $e->getTraceAsString()),
    "monostr" => fn ($e) => line(false)->critical((string) $e),
    "monojson" => function ($e) { $h = new Monolog\Handler\StreamHandler("php://stderr"); $f = new Monolog\Formatter\JsonFormatter(); $f->includeStacktraces(true); $h->setFormatter($f); (new Monolog\Logger("quay", [$h]))->critical("quay died", ["exception" => $e]); },
    "json" => fn ($e) => fwrite(STDERR, json_encode(["level" => "critical", "message" => $e->getMessage(), "exception" => get_class($e), "file" => $e->getFile(), "line" => $e->getLine(), "trace" => $e->getTraceAsString()]) . "\n"),
    "jsonarr" => fn ($e) => fwrite(STDERR, json_encode(["level" => "critical", "message" => $e->getMessage(), "class" => get_class($e), "file" => $e->getFile() . ":" . $e->getLine(), "trace" => explode("\n", $e->getTraceAsString())]) . "\n"),
    "jsonstr" => fn ($e) => fwrite(STDERR, json_encode(["level" => "error", "msg" => "quay died", "error" => (string) $e]) . "\n"),
    "jsonnest" => fn ($e) => fwrite(STDERR, json_encode(["level" => "error", "msg" => "quay died", "error" => ["class" => get_class($e), "message" => $e->getMessage(), "file" => $e->getFile(), "line" => $e->getLine(), "trace" => $e->getTraceAsString()]]) . "\n"),
    "multi" => fn ($e) => fwrite(STDERR, "Uncaught exception!\n  Type: " . get_class($e) . "\n  Message: {$e->getMessage()}\n  File: {$e->getFile()}:{$e->getLine()}\n{$e->getTraceAsString()}\n"),
};
if ($on) set_exception_handler(function ($e) use ($on) { $on($e); exit(1); });
fits(["berth" => "Z9", "draught" => 4]);
