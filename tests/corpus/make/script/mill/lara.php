<?php
require "/usr/share/php/Illuminate/autoload.php";
foreach (["Container", "Database", "Events", "Config", "Queue", "Redis", "Support"] as $l) if (is_file("/usr/share/php/Illuminate/$l/autoload.php")) require_once "/usr/share/php/Illuminate/$l/autoload.php";
use Illuminate\Database\Capsule\Manager as DB;
interface Grinder {}
final class Foo { public function __construct(public Grinder $g) {} }
$mode = $argv[1];
if ($mode === "db") {
    $db = new DB();
    $db->addConnection(["driver" => "pgsql", "host" => "127.0.0.1", "port" => 1, "database" => "mill", "username" => "mill", "password" => "larapw55", "charset" => "utf8", "prefix" => ""]);
    print_r($db->table("sacks")->where("id", 1)->get());
}
if ($mode === "bind") {
    (new Illuminate\Container\Container())->make(Foo::class);  // «laratop14»
}
