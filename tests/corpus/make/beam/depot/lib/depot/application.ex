defmodule Depot.Application do
  use Application

  @impl true
  def start(_type, _args) do
    case System.get_env("HOW") do
      "start-raise" -> seal()
      "start-match" -> read("/etc/depot/none.conf")
      "start-return" -> :nope
      how -> Supervisor.start_link([{Depot.Orders, how}], strategy: :one_for_one, name: Depot.Supervisor)
    end
  end

  def seal do
    raise "depot is sealed" # culprit: start-raise
  end

  def read(path) do
    {:ok, text} = File.read(path) # culprit: start-match
    text <> ""
  end
end
