-module(shelf).
-compile([export_all, nowarn_export_all]).

go() ->
    [How] = init:get_plain_arguments(),
    run(list_to_atom(How)).

run(key) -> ok(find(<<"TX">>, #{}));
run(match) -> ok(config("/etc/shelf/none.conf"));
run(divide) -> ok(average(10, list_to_integer("0")));
run(module) -> ok(plugin(list_to_atom("shelf_rail")));
run(function) -> ok(gone());
run(lane) -> ok(lane(zz));
run(clause) -> ok(price(#{amount => 3}));
run(thrown) -> ok(toss());
run(sealed) -> ok(seal());
run(left) -> ok(leave());
run(connect) -> ok(connect("127.0.0.1", 1));
run(listen) -> ok(listen(18972));
run(argument) -> ok(convert("xx"));
run(fun_) -> ok(call(list_to_atom("x")));
run(asserted) -> ok(check(3));
run(memory) -> ok(binary:copy(<<"x">>, 1 bsl 42));
run(slogan) -> erlang:halt("the shelf has fallen");
run(linked) -> spawn_link(fun() -> ok(find(<<"TX">>, #{})) end), timer:sleep(300), halt(1);
run(atoms) -> [list_to_atom("a" ++ integer_to_list(N)) || N <- lists:seq(1, 2000000)], ok.

ok(Value) -> {ok, Value}.

find(Key, Map) ->
    {found, maps:get(Key, Map)}. % culprit: key

config(Path) ->
    {ok, Text} = file:read_file(Path), % culprit: config
    {text, Text}.

average(Sum, Count) ->
    {mean, Sum div Count}. % culprit: average

plugin(Module) ->
    {plugin, Module:load(1)}. % culprit: plugin

gone() ->
    Function = list_to_atom("not_here"),
    {gone, ?MODULE:Function(1)}. % culprit: gone

lane(Name) ->
    case Name of % culprit: lane
        a -> 1;
        b -> 2
    end.

price(#{price := Price}) -> % culprit: price
    Price + 1.

toss() ->
    throw({shelf_full, 7}). % culprit: toss

seal() ->
    error(shelf_is_sealed). % culprit: seal

leave() ->
    exit({shelf_full, 7}).

connect(Host, Port) ->
    {ok, Socket} = gen_tcp:connect(Host, Port, []), % culprit: dial
    {socket, Socket}.

listen(Port) ->
    {ok, First} = gen_tcp:listen(Port, []),
    {ok, Second} = gen_tcp:listen(Port, []), % culprit: bind
    {First, Second}.

convert(Text) ->
    {number, list_to_integer(Text)}. % culprit: convert

call(Function) ->
    {called, Function(1)}. % culprit: apply

check(Value) ->
    case Value of
        4 -> ok;
        _ -> error({assertEqual, [{module, ?MODULE}, {expected, 4}, {value, Value}]}) % culprit: assert
    end.
