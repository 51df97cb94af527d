defmodule Depot.Crates do
  @moduledoc "Crashes in the way that its argument names."
  def run("fetch"), do: find(%{a: 1}, :depot_id)
  def run("fetch-again"), do: find_again(%{a: 1}, :depot_id)
  def run("setting"), do: find_setting(%{}, "DEPOT_DATABASE_URL")
  def run("nil"), do: name_of(:erlang.list_to_atom(~c"nil"))
  def run("nil-call"), do: call_of(:erlang.list_to_atom(~c"nil"))
  def run("divide"), do: average(10, String.to_integer("0"))
  def run("match"), do: read_config("/etc/depot/none.conf")
  def run("file"), do: read_file("/etc/depot/none.conf")
  def run("environment"), do: database()
  def run("module"), do: plugin(:erlang.list_to_atom(~c"Elixir.Depot.Rail"))
  def run("raise"), do: seal("depot is sealed")
  def run("throw"), do: toss(:oops)
  def run("exit"), do: leave({:depot, 3})
  def run("call"), do: ask(:ledger)
  def run("wait"), do: wait(spawn(fn -> Process.sleep(9999) end))
  def run("case"), do: lane(:zz)
  def run("clause"), do: only(:erlang.list_to_atom(~c"nil"))
  def run("empty"), do: best([])
  def run("bounds"), do: at([1], 9)
  def run("protocol"), do: each(:erlang.list_to_atom(~c"nil"))
  def run("refused"), do: connect(~c"127.0.0.1", 1)
  def run("resolve"), do: connect(~c"ledger.invalid", 80)
  def run("listen"), do: listen(18_971)
  def run("arity"), do: twice(fn x -> x end)
  def run("multi"), do: multi()
  def run("reraise"), do: wrap()
  def run("argument"), do: convert("xx")

  def run("task") do
    Task.async(fn -> find(%{a: 1}, :depot_id) end) |> Task.await()
  end

  def run("linked") do
    spawn_link(fn -> find(%{a: 1}, :depot_id) end)
    Process.sleep(5000)
  end

  def run("agent") do
    {:ok, agent} = Agent.start_link(fn -> %{} end)
    Agent.get(agent, fn map -> find(map, :depot_id) end)
  end

  def run("child") do
    {:ok, _} = Supervisor.start_link([{Depot.Child, 1}], strategy: :one_for_one)
  end

  def find(map, key) do
    value = Map.fetch!(map, key) # culprit: find
    value + 1
  end

  def find_again(map, key) do
    value = Map.fetch!(map, key) # culprit: find-again
    value + 1
  end

  def find_setting(map, key) do
    value = Map.fetch!(map, key) # culprit: setting
    value <> ""
  end

  def name_of(crate) do
    name = crate.name # culprit: nil
    name <> ""
  end

  def call_of(crate) do
    name = crate.name() # culprit: nil-call
    name <> ""
  end

  def average(sum, count) do
    mean = div(sum, count) # culprit: divide
    mean + 1
  end

  def read_config(path) do
    {:ok, text} = File.read(path) # culprit: match
    text <> ""
  end

  def read_file(path) do
    text = File.read!(path) # culprit: file
    text <> ""
  end

  def database do
    url = System.fetch_env!("DEPOT_DATABASE_URL") # culprit: environment
    url <> ""
  end

  def plugin(module) do
    lanes = module.load(1) # culprit: module
    lanes + 1
  end

  def seal(text) do
    raise text # culprit: raise
  end

  def toss(what) do
    throw(what) # culprit: throw
  end

  def leave(why) do
    exit(why) # culprit: exit
  end

  def ask(server) do
    price = GenServer.call(server, :price) # culprit: call
    price + 1
  end

  def wait(server) do
    price = GenServer.call(server, :price, 50) # culprit: wait
    price + 1
  end

  def lane(name) do
    case name do # culprit: case
      :a -> 1
      :b -> 2
    end
  end

  def only(text) when is_binary(text), do: text # culprit: clause

  def best(list) do
    top = Enum.max(list) # culprit: empty
    top + 1
  end

  def at(list, index) do
    item = Enum.fetch!(list, index) # culprit: bounds
    item + 1
  end

  def each(list) do
    items = Enum.map(list, & &1) # culprit: protocol
    items ++ []
  end

  def connect(host, port) do
    {:ok, socket} = :gen_tcp.connect(host, port, []) # culprit: connect
    {:ok, socket}
  end

  def listen(port) do
    {:ok, first} = :gen_tcp.listen(port, [])
    {:ok, second} = :gen_tcp.listen(port, []) # culprit: listen
    {first, second}
  end

  def twice(function) do
    sum = apply(function, [1, 2]) # culprit: arity
    sum + 1
  end

  def multi do
    raise "first line\nsecond line\n  third" # culprit: multi
  end

  def wrap do
    find(%{a: 1}, :depot_id)
  rescue
    error -> reraise RuntimeError.exception("wrapped: #{Exception.message(error)}"), __STACKTRACE__
  end

  def convert(text) do
    number = String.to_integer(text) # culprit: argument
    number + 1
  end
end

defmodule Depot.Child do
  use GenServer
  def start_link(argument), do: GenServer.start_link(__MODULE__, argument)
  def init(_), do: {:stop, :econnrefused}
end

[how] = System.argv()
IO.puts("depot: #{how}")
Depot.Crates.run(how)
