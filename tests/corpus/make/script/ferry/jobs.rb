$LOAD_PATH.unshift File.join(__dir__, "lib")
require "deck"
require "logger"
LOG = Logger.new($stderr)
module Jobs
  module_function

  def none; Deck.room("east", 2); end

  def cause
    none
  rescue NoMethodError => e
    raise "sailing 3f2504e0-4f89-11d3-9a0c-0305e82c3301 not loaded"
  end

  def detailed
    none
  rescue => e
    STDERR.puts e.full_message(highlight: false, order: :bottom)
    exit 1
  end

  def detailedtop
    none
  rescue => e
    STDERR.puts e.full_message(highlight: true, order: :top)
    exit 1
  end

  def short
    none
  rescue => e
    STDERR.puts "#{e.class}: #{e.message}", e.backtrace
    exit 1
  end

  def shortjoined
    none
  rescue => e
    LOG.fatal("#{e.class}: #{e.message}\n\t#{e.backtrace.join("\n\t")}")
    exit 1
  end

  def logged
    none
  rescue => e
    LOG.fatal(e)
    exit 1
  end

  def inspect_only
    none
  rescue => e
    LOG.fatal("boot failed: #{e.inspect}")
    exit 1
  end

  def redis
    require "redis"
    Redis.new(url: "redis://:rubyredispw@127.0.0.1:1/0", reconnect_attempts: 0).ping  # «jobsredis60»
  end

  def pg
    require "pg"
    PG.connect("postgres://ferry:rubypgpw@127.0.0.1:1/ferry")  # «jobspg65»
  end

  def faraday
    require "faraday"
    Faraday.get("http://127.0.0.1:1/tides")  # «jobsfaraday70»
  end

  def dns
    require "net/http"
    Net::HTTP.get(URI("http://tides.ferry.invalid/x"))  # «jobsdns75»
  end

  def timeout
    require "timeout"
    Timeout.timeout(0.2) { sleep 3 }
  end

  def thread
    t = Thread.new { Deck.room("east", 2) }
    t.abort_on_exception = true
    sleep 2
  end

  def threadjoin
    Thread.report_on_exception = false
    Thread.new { Deck.room("east", 2) }.join
  end

  def ractor
    r = Ractor.new { Deck.room("east", 2) }
    r.take
  end

  def fork_
    pid = fork { Deck.room("east", 2) }
    Process.wait(pid)
    exit $?.exitstatus
  end

  def env; ENV.fetch("FERRY_DSN"); end  # «jobsenv105»

  def envint; Integer(ENV.fetch("HOME")); end  # «jobsenvint107»

  def yaml
    require "yaml"
    YAML.load("lanes: [1, 2")  # «jobsyaml111»
  end

  def yamlfile
    require "yaml"
    YAML.load_file("config/ferry.yml")  # «jobsyamlfile116»
  end

  def json
    require "json"
    JSON.parse("<html>")  # «jobsjson121»
  end

  def stopiteration; [].each.next; end  # «jobsstopiteration124»

  def frozen; "x".freeze << "y"; end

  def zero; 5 % 0; end  # «jobszero128»

  def floatdomain; (0.0 / 0).to_i; end  # «jobsfloatdomain130»

  def range; [1].fetch(7); end  # «jobsrange132»

  def arg; Deck.room("north"); end

  def keyword; kw(lanes: 3); end

  def kw(lane:); lane; end

  def uninit; Dock::Gate; end  # «jobsuninit140»

  def private_; Deck.new.send(:nope); end

  def private2; Deck.new.puts("x"); end

  def nilplus; lane = nil; lane + 1; end  # «jobsnilplus146»

  def plusnil; 1 + nil; end  # «jobsplusnil148»

  def strplus; "a" + 1; end  # «jobsstrplus150»

  def coerce; Integer("12 cars"); end

  def multi; raise ArgumentError, "first line\nsecond line\nthird: `x' (y)"; end  # «jobsmulti154»

  def empty; raise ArgumentError; end  # «jobsempty156»

  def emptymsg; raise ArgumentError, ""; end  # «jobsemptymsg158»

  def anon; raise Class.new(StandardError), "anonymous"; end

  def interrupt; Process.kill("INT", $$); sleep 2; end

  def term; Process.kill("TERM", $$); sleep 2; end

  def signalex; raise SignalException, "SIGHUP"; end

  def abort_; abort "ferry: no lanes configured"; end

  def exitbang; begin; none; rescue => e; warn e.message; exit!(2); end; end

  def recursion; recursion; end

  def mutual; mutual2; end

  def mutual2; mutual; end

  def block; [1].each { |n| [2].map { |m| Deck.room("east", m) } }; end

  def instance; Deck.class_eval { define_method(:zap) { lane("east")[:cars] } }; Deck.new.zap; end  # «jobstop180»

  def evald; eval("Deck.room('east', 2)", binding, "rules/17.rb", 40); end

  def throw_; throw :done; end  # «jobsthrow_184»

  def fiber; f = Fiber.new { }; f.resume; f.resume; end  # «jobsfiber186»

  def deadlock; Thread.new { Thread.stop }.join; end  # «jobstop188»

  def mutex; m = Mutex.new; m.lock; m.lock; end  # «jobsmutex190»

  def loaderr; require "zlibx"; end  # «jobsloaderr192»

  def relerr; require_relative "lib/gone"; end  # «jobsrelerr194»

  def syntax; load File.join(__dir__, "lib/bad.rb"); end

  def enc; "\xff".encode("UTF-16"); end

  def nospace; raise Errno::ENOSPC, "/var/lib/ferry/x"; end  # «jobsnospace200»

  def perm; raise Errno::EACCES, "/var/lib/ferry/x"; end  # «jobsperm202»

  def emfile; a = []; loop { a << File.open(__FILE__) }; end

  def nofile; File.read("/etc/ferry/lanes.csv"); end  # «jobsnofile206»

  def spawn_; system("wkhtmltopdf", exception: true); end  # «jobsspawn_208»

  def spawnfail; system("false", exception: true); end  # «jobsspawnfail210»

  def atexit; at_exit { warn "flushing 3 metrics"; LOG.info("bye") }; none; end

  def atexitraise; at_exit { raise "flush failed" }; none; end

  def method_missing_; Struct.new(:a).new(1).b; end  # «jobsmethod_missing_216»

  def pattern; case({ a: 1 }); in { b: } then b end; end  # «jobspattern218»

  def refute; raise NotImplementedError, "#{self} must implement call"; end  # «jobsrefute220»

  def retry_
    3.times { |n| begin; none; rescue => e; LOG.error("attempt #{n + 1}: #{e.message} (#{e.class})\n#{e.backtrace.join("\n")}"); end }
    LOG.fatal("giving up")
    exit 1
  end
end
Jobs.send(ARGV[0])
