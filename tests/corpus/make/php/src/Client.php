<?php

declare(strict_types=1);

namespace Depot\Net;

class Client
{
    public function connect(int $port): void
    {
        new \PDO("mysql:host=127.0.0.1;port=$port", 'depot', 'secret'); // culprit: pdo
    }

    public function open(int $port): void
    {
        $socket = @stream_socket_client("tcp://127.0.0.1:$port", $code, $message, 1);
        if ($socket === false) {
            throw new \RuntimeException("cannot open the ledger: $message"); // culprit: refused
        }
    }

    public function read(): void
    {
        new \SplFileObject('/etc/depot/depot.ini'); // culprit: read
    }

    public function setting(): string
    {
        return getenv('DEPOT_DATABASE_URL') ?: throw new \RuntimeException('DEPOT_DATABASE_URL is not set'); // culprit: setting
    }
}
