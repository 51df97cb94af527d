require "logger"
require "json"
require_relative "lib/berth"
how = ENV["HOW"] || "plain"
def go = fits({ berth: "Z9", draught: 4 })
begin
  go
rescue => e
  case how
  when "plain" then raise
  when "logger" then Logger.new($stderr).fatal(e)
  when "loggertext" then Logger.new($stderr).fatal("quay died: #{e.message} (#{e.class})\n#{e.backtrace.join("\n")}")
  when "loggertext2" then Logger.new($stderr).error([e.class, e.message, *e.backtrace].join("\n  "))
  when "json" then puts JSON.dump(severity: "FATAL", message: "quay died", error: e.class.name, error_message: e.message, backtrace: e.backtrace)
  when "jsonexc" then puts JSON.dump(level: "fatal", msg: e.message, exception: { class: e.class.name, message: e.message, backtrace: e.backtrace })
  when "jsonstack" then puts JSON.dump(level: "fatal", msg: "#{e.class}: #{e.message}", stack_trace: e.backtrace.join("\n"))
  when "full" then warn e.full_message(highlight: false)
  when "warn" then warn e.message; warn e.backtrace
  when "detailed" then warn e.detailed_message rescue warn(e.message); warn e.backtrace.map { |l| "  #{l}" }
  when "inspect" then warn "#{e.inspect}: #{e.backtrace.first(3)}"
  when "puts" then puts "Error: #{e.message}", e.backtrace
  end
  exit 1
end
