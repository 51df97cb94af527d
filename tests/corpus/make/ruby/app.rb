# Crashes as the first argument says, in the place that the second one says.
$LOAD_PATH.unshift(File.expand_path("lib", __dir__))
require "depot/shelf"

8.times { |n| puts "I, [2026-11-24T05:15:16.51#{n}751 #1]  INFO -- : order #{4001 + n} packed in #{n * 3 % 17} ms" }
$stdout.flush
shelf = Depot::Shelf.new

NETWORK = %w[refused opened http resolve listen read full files setting wait program abort segv].freeze
if NETWORK.include?(ARGV[0])
  require "depot/client"
  client = Depot::Client.new
end

crash = {
  "nil" => -> { shelf.owner_length },
  "missing" => -> { shelf.find("A-7") },
  "type" => -> { shelf.weight("A-7") },
  "convert" => -> { shelf.convert("ten") },
  "index" => -> { shelf.at(5) },
  "divide" => -> { shelf.average(10) },
  "recursion" => -> { shelf.depth(0) },
  "sealed" => -> { shelf.seal(rand(1 << 40).to_s(16)) },
  "sealed-again" => -> { shelf.seal_again(rand(1 << 40).to_s(16)) },
  "close" => -> { shelf.close("2026-10") },
  "close-year" => -> { shelf.close_year("2026") },
  "multi" => -> { shelf.multi },
  "silent" => -> { shelf.silent },
  "arguments" => -> { shelf.arguments },
  "undefined" => -> { shelf.undefined },
  "constant" => -> { shelf.constant },
  "frozen" => -> { shelf.frozen },
  "block" => -> { shelf.in_block },
  "build" => -> { Depot::Shelf.build },
  "memory" => -> { shelf.fill },
  "load" => -> { require "depot/plugins/rail" }, # culprit: load
  "syntax" => -> { require "depot/broken" },
  "refused" => -> { client.connect(1) },
  "opened" => -> { client.open(1) },
  "http" => -> { client.get(1) },
  "resolve" => -> { client.resolve },
  "listen" => -> { client.listen(18_451) },
  "read" => -> { client.read },
  "full" => -> { client.write },
  "files" => -> { client.open_files },
  "setting" => -> { client.setting },
  "wait" => -> { client.wait },
  "program" => -> { client.run },
  "abort" => -> { client.exit_with },
  "segv" => -> { client.segv },
  "interrupt" => -> { raise Interrupt },
}.fetch(ARGV[0])

case ARGV[1]
when "thread" then Thread.new { crash.call }.join
when "fiber" then Fiber.new { crash.call }.resume
when "logged"
  begin
    crash.call
  rescue StandardError => e
    puts "F, [2026-11-24T05:15:17.000000 #1] FATAL -- : #{e.message} (#{e.class})"
    puts e.backtrace
    exit 1
  end
when "full"
  begin
    crash.call
  rescue StandardError => e
    warn e.full_message(highlight: false, order: :top)
    exit 1
  end
else crash.call
end
