def at(cranes : Array(Int32), n : Int32)
  cranes[n] # «quay-crane»
end

def load(path : String)
  File.read(path) # «quay-plan»
rescue error
  raise Exception.new("cannot load the plan", cause: error)
end

puts "quay 0.1 starting"
case ARGV[0]
when "index"  then puts at([1, 2, 3], 7)
when "plan"   then puts load("/etc/quay/plan.txt")
when "url"    then puts ENV["QUAY_URL"] # «quay-url»
else
  spawn { at([1], 9) }
  sleep 0.1
  raise "the worker is lost" # «lost»
end
