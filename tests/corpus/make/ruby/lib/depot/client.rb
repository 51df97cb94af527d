require "socket"
require "net/http"
require "timeout"

# What reaches outside.
module Depot
  class Client
    def connect(port)
      TCPSocket.new("127.0.0.1", port) # culprit: refused
    end

    def open(port)
      connect(port)
    rescue SystemCallError => e
      raise ShelfError, "cannot open the ledger: #{e.class}"
    end

    def get(port)
      Net::HTTP.get(URI("http://127.0.0.1:#{port}/")) # culprit: http
    end

    def resolve
      TCPSocket.new("ledger.shop.invalid", 80) # culprit: resolve
    end

    def listen(port)
      TCPServer.new("127.0.0.1", port)
      TCPServer.new("127.0.0.1", port) # culprit: listen
    end

    def read
      File.read("/etc/depot/depot.yml") # culprit: read
    end

    def write
      File.write("/dev/full", "x") # culprit: full
    end

    def open_files
      all = []
      loop { all << File.open("/dev/null") } # culprit: files
    end

    def setting
      ENV.fetch("DEPOT_DATABASE_URL") # culprit: setting
    end

    def wait
      Timeout.timeout(0.05) { sleep } # culprit: wait
    end

    def run
      IO.popen(["convert-crate", "-x"]) # culprit: program
    end

    def exit_with
      abort "depot: no ledger is configured"
    end

    def segv
      Process.kill(:SEGV, Process.pid) # culprit: segv
      loop { }
    end
  end
end
