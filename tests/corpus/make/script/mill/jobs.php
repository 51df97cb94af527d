<?php
declare(strict_types=1);
foreach (["Monolog", "Symfony", "GuzzleHttp"] as $lib) if (is_file("/usr/share/php/$lib/autoload.php")) require_once "/usr/share/php/$lib/autoload.php";
foreach (["Console", "ErrorHandler", "HttpKernel", "Process"] as $lib) if (is_file("/usr/share/php/Symfony/Component/$lib/autoload.php")) require_once "/usr/share/php/Symfony/Component/$lib/autoload.php";
require __DIR__ . "/src/Scale.php";
use Mill\Scale;

final class Jobs
{
    public function none(): void { (new Scale())->weigh("rye"); }

    public function chain(): void
    {
        try { $this->none(); } catch (\Throwable $e) { throw new \RuntimeException("batch 3f2504e0-4f89-11d3-9a0c-0305e82c3301 failed", 7, $e); }
    }

    public function monolog(): void
    {
        $log = new Monolog\Logger("mill", [new Monolog\Handler\StreamHandler("php://stderr")]);
        Monolog\ErrorHandler::register($log);
        $this->none();
    }

    public function monologtrace(): void
    {
        $h = new Monolog\Handler\StreamHandler("php://stderr");
        $h->setFormatter(new Monolog\Formatter\LineFormatter(null, null, true, true, true));
        $log = new Monolog\Logger("mill", [$h]);
        try { $this->none(); } catch (\Throwable $e) { $log->critical("batch failed", ["exception" => $e]); exit(1); }
    }

    public function monologjson(): void
    {
        $h = new Monolog\Handler\StreamHandler("php://stderr");
        $f = new Monolog\Formatter\JsonFormatter(); $f->includeStacktraces(true); $h->setFormatter($f);
        $log = new Monolog\Logger("mill", [$h]);
        try { $this->chain(); } catch (\Throwable $e) { $log->emergency("batch failed", ["exception" => $e]); exit(1); }
    }

    public function monologdefault(): void
    {
        $log = new Monolog\Logger("mill", [new Monolog\Handler\StreamHandler("php://stderr")]);
        try { $this->chain(); } catch (\Throwable $e) { $log->critical($e->getMessage(), ["exception" => $e]); exit(1); }
    }

    public function symfony(): void
    {
        $app = new Symfony\Component\Console\Application("mill", "1.0");
        $app->setCatchExceptions(true);
        $job = $this;
        $cmd = new class($job) extends Symfony\Component\Console\Command\Command {
            public function __construct(private object $job) { parent::__construct("grind"); }
            protected function execute($in, $out): int { $this->job->chain(); return 0; }
        };
        $app->add($cmd);
        $app->run(new Symfony\Component\Console\Input\ArgvInput(["mill", "grind", ...array_slice($_SERVER["argv"], 2)]));
    }

    public function symfonyunknown(): void
    {
        $app = new Symfony\Component\Console\Application("mill", "1.0");
        $app->run(new Symfony\Component\Console\Input\ArgvInput(["mill", "grnd"]));
    }

    public function printed(): void
    {
        try { $this->none(); } catch (\Throwable $e) { fwrite(STDERR, (string) $e . "\n"); exit(1); }
    }

    public function short(): void
    {
        try { $this->none(); } catch (\Throwable $e) { fwrite(STDERR, get_class($e) . ": " . $e->getMessage() . " in " . $e->getFile() . ":" . $e->getLine() . "\n" . $e->getTraceAsString() . "\n"); exit(1); }
    }

    public function message(): void
    {
        try { $this->none(); } catch (\Throwable $e) { fwrite(STDERR, "fatal: " . $e->getMessage() . "\n"); exit(1); }
    }

    public function handler(): void
    {
        set_exception_handler(function (\Throwable $e) { error_log("uncaught: " . $e); exit(255); });
        $this->none();
    }

    public function errhandler(): void
    {
        set_error_handler(function ($no, $text, $file, $line) { throw new \ErrorException($text, 0, $no, $file, $line); });
        $a = []; echo $a["rye"];
    }

    public function warnings(): void
    {
        $a = []; echo $a["rye"]; echo $b; $this->none();
    }

    public function deprecated(): void
    {
        $o = new class { }; $o->x = 1; echo utf8_decode("x"); @$this->none2(); $this->none();
    }
    public function none2(): void { trigger_error("old scale", E_USER_DEPRECATED); }

    public function usererror(): void { trigger_error("no bins configured", E_USER_ERROR); }  // «jobstop103»

    public function redis(): void { $r = new \Redis(); $r->connect("127.0.0.1", 1); }  // «jobsredis105»

    public function pgsql(): void { new \PDO("pgsql:host=127.0.0.1;port=1;dbname=mill", "mill", "phppgpw55"); }  // «jobspgsql107»

    public function mysqldns(): void { new \PDO("mysql:host=db.mill.invalid;dbname=mill", "mill", "phpmypw55"); }  // «jobsmysqldns109»

    public function mysqli(): void { new \mysqli("127.0.0.1", "mill", "phpmypw55", "mill", 1); }  // «jobsmysqli111»

    public function guzzle(): void { (new GuzzleHttp\Client())->get("http://127.0.0.1:1/x"); }  // «jobsguzzle113»

    public function fgc(): void { $x = file_get_contents("http://127.0.0.1:1/x"); if ($x === false) { fwrite(STDERR, "cannot load rates\n"); exit(3); } }

    public function socket(): void { $s = stream_socket_server("tcp://127.0.0.1:18433", $no, $text); if (!$s) { throw new \RuntimeException("Failed to listen on tcp://127.0.0.1:18433: $text", $no); } }

    public function gen(): void { foreach ($this->gener() as $x) { } }
    private function gener(): iterable { yield 1; yield (new Scale())->weigh("rye"); }

    public function map(): void { array_map(fn ($n) => (new Scale())->weigh($n), ["rye"]); }

    public function static_(): void { self::st("rye"); }
    public static function st(string $n): void { (new Scale())->weigh($n); }

    public function type(): void { (new Scale())->weigh(17); }

    public function argcount(): void { (new Scale())->weigh(); }

    public function value(): void { array_combine([1, 2], [1]); }  // «jobsvalue131»

    public function enumv(): void { Grain::from("oats"); }  // «jobsenumv133»

    public function readonly(): void { $p = new P(1); $p->n = 2; }  // «jobsreadonly135»

    public function intdiv(): void { intdiv(5, 0); }  // «jobsintdiv137»

    public function mod(): void { echo 5 % 0; }  // «jobsmod139»

    public function arr(): void { $a = null; foreach ((array) $a as $x) { } $b = "abc"; echo $b[10]; $c = [1]; $c->x(); }  // «jobsarr141»

    public function multi(): void { throw new \LogicException("line one\nStack trace:\n#0 fake.php(3): x()\nline three"); }  // «jobsmulti143»

    public function unicode(): void { throw new \DomainException("Mühle „Süd“ ist geschlossen 🌾"); }  // «jobsunicode145»

    public function empty_(): void { throw new \LogicException(); }  // «jobsempty_147»

    public function recursion(): void { $this->recursion(); }

    public function memory(): void { $a = []; while (true) { $a[] = str_repeat("x", 100000); } }

    public function timeout(): void { set_time_limit(1); while (true) { } }

    public function json(): void { json_decode("{bad", flags: JSON_THROW_ON_ERROR); }  // «jobsjson155»

    public function env(): void { $dsn = getenv("MILL_DSN") ?: throw new \RuntimeException("MILL_DSN is not set"); }  // «jobsenv157»

    public function require_(): void { require __DIR__ . "/config/local.php"; }  // «jobstop159»

    public function parse(): void { require __DIR__ . "/src/bad.php"; }

    public function autoload(): void { new \Mill\Sieve(); }  // «jobsautoload163»

    public function ext(): void { imagecreatetruecolor(1, 1); }

    public function const_(): void { echo Scale::LIMIT; }  // «jobsconst_167»

    public function iface(): void { require __DIR__ . "/src/iface.php"; }

    public function clone_(): void { $x = null; $y = clone $x; }  // «jobsclone_171»

    public function shutdown(): void { register_shutdown_function(function () { fwrite(STDERR, "mill: flushing 3 sacks\n"); }); $this->none(); }

    public function term(): void { posix_kill(getmypid(), 15); sleep(2); }

    public function segv(): void { posix_kill(getmypid(), 11); sleep(1); }

    public function fiber(): void { $f = new \Fiber(fn () => (new Scale())->weigh("rye")); $f->start(); }

    public function disk(): void { set_error_handler(function ($no, $t, $f, $l) { throw new \ErrorException($t, 0, $no, $f, $l); }); file_put_contents("/dev/full", "x"); fclose(fopen("/dev/full", "w")); $h = fopen("/dev/full", "w"); fwrite($h, "xxxx"); }

    public function perm(): void { $h = fopen("/proc/1/nope/x", "w"); if (!$h) { throw new \RuntimeException("cannot open journal"); } }

    public function survived(): void
    {
        for ($i = 0; $i < 3; $i++) { try { $this->none(); } catch (\Throwable $e) { error_log("job $i failed: " . $e); } }
        throw new \OverflowException("hopper full");  // «jobssurvived188»
    }
}
enum Grain: string { case Rye = "rye"; }
final class P { public function __construct(public readonly int $n) {} }
$job = $argv[1];
(new Jobs())->$job();
