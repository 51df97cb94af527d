defmodule Depot.Orders do
  use GenServer
  require Logger

  def start_link(how), do: GenServer.start_link(__MODULE__, how, name: __MODULE__)

  @impl true
  def init("init"), do: {:ok, price("TX", %{})}
  def init("init-stop"), do: {:stop, :econnrefused}
  def init("init-environment"), do: {:ok, database()}
  def init("init-listen"), do: {:ok, listen(18_973)}
  def init("init-return"), do: nil

  def init(how) do
    Process.send_after(self(), :next, 30)
    {:ok, %{how: how, prices: %{"BK" => 1990, "CD" => 990}}}
  end

  @impl true
  def handle_info(:next, %{how: "key"} = state), do: {:noreply, price("TX", state.prices) && state}
  def handle_info(:next, %{how: "other"} = state), do: {:noreply, weight("TX", state.prices) && state}
  def handle_info(:next, %{how: "stop"} = state), do: {:stop, {:full, 7}, state}
  def handle_info(:next, %{how: "exit"}), do: leave()
  def handle_info(:next, %{how: "raise"}), do: seal()
  def handle_info(:next, %{how: "call"} = state), do: {:noreply, ask() && state}
  def handle_info(:next, %{how: "nil"} = state), do: {:noreply, length_of(state[:nothing])}

  def handle_info(:next, %{how: "task"} = state) do
    Task.async(fn -> price("TX", state.prices) end)
    {:noreply, state}
  end

  def handle_info(:next, %{how: "spawned"} = state) do
    spawn(fn -> price("TX", state.prices) end)
    Process.send_after(self(), :stop, 200)
    {:noreply, state}
  end

  def handle_info(:stop, state) do
    System.stop(0)
    {:noreply, state}
  end

  def handle_info(_, state), do: {:noreply, state}

  def price(item, prices) do
    price = Map.fetch!(prices, item) # culprit: order-key
    price + 1
  end

  def weight(item, prices) do
    weight = Map.fetch!(prices, item) # culprit: order-other
    weight + 1
  end

  def leave do
    exit(:sealed) # culprit: order-exit
  end

  def seal do
    raise "depot is sealed" # culprit: order-raise
  end

  def ask do
    answer = GenServer.call(:ledger, {:post, 3}) # culprit: order-call
    answer + 1
  end

  def length_of(crate) do
    length = crate.length # culprit: order-nil
    length + 1
  end

  def database do
    url = System.fetch_env!("DEPOT_DATABASE_URL") # culprit: order-environment
    url <> ""
  end

  def listen(port) do
    {:ok, first} = :gen_tcp.listen(port, [])
    {:ok, second} = :gen_tcp.listen(port, []) # culprit: order-listen
    {first, second}
  end
end
