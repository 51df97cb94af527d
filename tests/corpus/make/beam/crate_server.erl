-module(crate_server).
-behaviour(gen_server).
-export([start_link/0, init/1, handle_call/3, handle_cast/2, handle_info/2]).

start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

init([]) ->
    case os:getenv("HOW") of
        "init" -> {ok, connect()};
        "stopped" -> {stop, {cannot_open, enoent}};
        How ->
            erlang:send_after(30, self(), next),
            {ok, #{how => How, prices => #{<<"BK">> => 1990, <<"CD">> => 990}}}
    end.

handle_call(_, _, State) -> {reply, ok, State}.

handle_cast(_, State) -> {noreply, State}.

handle_info(next, #{how := "key"} = State) -> {noreply, State#{price => price(<<"TX">>, State)}};
handle_info(next, #{how := "other"} = State) -> {noreply, State#{price => weight(<<"TX">>, State)}};
handle_info(next, #{how := "stop"} = State) -> {stop, {crate_full, 7}, State};
handle_info(next, #{how := "call"} = State) -> {noreply, State#{price => ask()}};
handle_info(next, #{how := "spawned"} = State) ->
    spawn_link(fun() -> price(<<"TX">>, State) end),
    {noreply, State};
handle_info(next, #{how := "proclib"} = State) ->
    proc_lib:spawn_link(fun() -> price(<<"TX">>, State) end),
    {noreply, State};
handle_info(next, #{how := "return"} = State) -> {State, nope};
handle_info(_, State) -> {noreply, State}.

price(Item, #{prices := Prices}) ->
    {price, maps:get(Item, Prices)}. % culprit: server-key

weight(Item, #{prices := Prices}) ->
    {weight, maps:get(Item, Prices)}. % culprit: server-other

ask() ->
    {answer, gen_server:call(ledger, {post, 5})}. % culprit: server-call

connect() ->
    {ok, Socket} = gen_tcp:connect("127.0.0.1", 1, []), % culprit: init
    Socket.
