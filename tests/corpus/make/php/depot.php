<?php

declare(strict_types=1);

spl_autoload_register(function (string $class): void {
    $file = __DIR__ . '/src/' . basename(str_replace('\\', '/', $class)) . '.php';
    if (is_file($file)) {
        require $file;
    }
});

for ($order = 1; $order <= 8; $order++) {
    echo "[2026-11-24T06:49:2$order+00:00] depot.INFO: order ", 4000 + $order, ' packed {"ms":', $order * 3 % 17, "} []\n";
}
$shelf = new Depot\Stock\Shelf();
$client = new Depot\Net\Client();
$crash = [
    'nil' => fn () => $shelf->ownerLength(),
    'divide' => fn () => $shelf->average(10),
    'modulo' => fn () => $shelf->modulo(10),
    'type' => fn () => $shelf->weight('A-7'),
    'argument' => fn () => $shelf->argument(),
    'sealed' => fn () => $shelf->seal(bin2hex(random_bytes(6))),
    'sealed-again' => fn () => $shelf->sealAgain(bin2hex(random_bytes(6))),
    'close' => fn () => $shelf->close('2026-10'),
    'close-year' => fn () => $shelf->closeYear('2026'),
    'multi' => fn () => $shelf->multi(),
    'match' => fn () => $shelf->match(7),
    'undefined' => fn () => $shelf->undefined(),
    'function-gone' => fn () => $shelf->functionGone(),
    'class-gone' => fn () => $shelf->classGone(),
    'recursion' => fn () => $shelf->depth(0),
    'memory' => fn () => $shelf->fill(),
    'spin' => fn () => $shelf->spin(),
    'closure' => fn () => $shelf->closure(),
    'build' => fn () => Depot\Stock\Shelf::build(),
    'assertion' => fn () => $shelf->check(),
    'pdo' => fn () => $client->connect(1),
    'refused' => fn () => $client->open(1),
    'read' => fn () => $client->read(),
    'setting' => fn () => $client->setting(),
    'require' => fn () => require __DIR__ . '/src/Missing.php', // culprit: require
    'parse' => fn () => new Depot\Broken(),
    'abstract' => fn () => new Depot\Wrong(),
    'error' => fn () => trigger_error('shelf index is corrupt', E_USER_ERROR), // culprit: error
    'exit' => fn () => exit(3),
][$argv[1]];

if (($argv[2] ?? '') === 'logged') {
    try {
        $crash();
    } catch (Throwable $e) {
        fwrite(STDERR, '[2026-11-24T06:49:30+00:00] depot.CRITICAL: depot stops {"exception":"[object] (' . get_class($e) . '(code: ' . $e->getCode() . '): ' . $e->getMessage() . ' at ' . $e->getFile() . ':' . $e->getLine() . ")\n[stacktrace]\n" . $e->getTraceAsString() . "\n\"} []\n");
        exit(1);
    }
}
$crash();
