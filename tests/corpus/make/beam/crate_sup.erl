-module(crate_sup).
-behaviour(supervisor).
-export([start_link/0, init/1]).

start_link() -> supervisor:start_link({local, ?MODULE}, ?MODULE, []).

init([]) ->
    Child = #{id => crate_server, start => {crate_server, start_link, []}},
    {ok, {#{intensity => 2, period => 5}, [Child]}}.
