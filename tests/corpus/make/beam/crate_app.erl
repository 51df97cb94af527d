-module(crate_app).
-behaviour(application).
-export([start/2, stop/1]).

start(_, _) ->
    case os:getenv("HOW") of
        "returned" -> nope;
        "refused" -> {error, no_crate_configured};
        "start" -> read("/etc/crate/none.conf");
        _ -> crate_sup:start_link()
    end.

stop(_) -> ok.

read(Path) ->
    {ok, Text} = file:read_file(Path), % culprit: start
    {text, Text}.
