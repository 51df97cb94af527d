//! Frames of the BEAM, in Elixir's form, in the form of Erlang's shell and as terms.

use super::term::{Kind, Term};
use crate::classify::finding::Frame;
use crate::classify::text;

/// Longest line that is read as a frame.
const BYTES: usize = 4096;

/// Applications of Erlang, Elixir and of libraries that most programs have, as Elixir names them before a frame.
const APPLICATIONS: &str = " elixir mix iex eex ex_unit logger kernel stdlib erts compiler crypto ssl public_key inets \
    mnesia sasl ssh tools syntax_tools parsetools asn1 runtime_tools xmerl eunit common_test os_mon observer \
    phoenix phoenix_html phoenix_live_view phoenix_live_reload phoenix_pubsub phoenix_ecto phoenix_template plug \
    plug_cowboy plug_crypto cowboy cowlib cowboy_telemetry ranch bandit thousand_island websock websock_adapter ecto \
    ecto_sql db_connection postgrex myxql tds mariaex ecto_sqlite3 exqlite decimal jason poison jsx jiffy telemetry \
    telemetry_metrics telemetry_poller oban broadway gen_stage flow finch mint nimble_pool nimble_options tesla \
    httpoison hackney req castore certifi gun swoosh bamboo gen_smtp redix eredis amqp amqp_client rabbit_common \
    brod kafka_ex kaffe snappyer xandra mongodb_driver absinthe absinthe_plug dataloader guardian ueberauth comeonin \
    bcrypt_elixir argon2_elixir quantum libcluster horde swarm nebulex cachex con_cache sentry timex tzdata gettext \
    floki nimble_parsec nimble_csv ex_aws ex_aws_s3 sweet_xml goth grpc protobuf poolboy worker_pool gproc lager \
    epgsql recon logger_json opentelemetry opentelemetry_api opentelemetry_exporter prometheus commanded eventstore \
    exq verk distillery mochiweb webmachine yaws ";

/// Modules of Elixir and of its libraries, by the first part of their name.
const MODULES: &str = " Access Agent Application Atom Base Behaviour Bitwise Calendar Code Collectable Config Date \
    DateTime Dict DynamicSupervisor Enum Enumerable Exception File Float Function GenEvent GenServer HashDict HashSet \
    IO Inspect Integer Kernel Keyword List Logger Macro Map MapSet Mix Module NaiveDateTime Node OptionParser \
    PartitionSupervisor Path Port Process Protocol Range Record Regex Registry Set Stream String StringIO Supervisor \
    System Task Time Tuple URI Version ExUnit EEx IEx Phoenix Plug Ecto DBConnection Postgrex MyXQL Tds Exqlite Decimal \
    Jason Poison Bandit ThousandIsland WebSock Oban Broadway GenStage Flow Finch Mint NimblePool NimbleOptions Tesla \
    HTTPoison Req Swoosh Bamboo Redix AMQP KafkaEx Xandra Mongo Absinthe Dataloader Guardian Ueberauth Quantum Cluster \
    Horde Swarm Nebulex Cachex Sentry Timex Tzdata Gettext Floki ExAws Goth GRPC Protobuf LoggerJSON OpenTelemetry \
    Commanded EventStore Exq ";

/// Modules of Erlang/OTP that stand in stacks.
const OTP: &str = " application application_controller application_master application_starter array asn1ct atomics \
    auth base64 beam_lib binary c calendar code code_server compile counters crypto dets dict digraph disk_log dist_util \
    edlin elixir elixir_compiler elixir_dispatch elixir_eval elixir_lexical elixir_module epp erl_anno erl_ddll \
    erl_eval erl_internal erl_lint erl_parse erl_posix_msg erl_prim_loader erl_scan erl_tar erlang \
    erl_init error_handler error_logger erts_internal escript ets eunit eunit_proc eunit_test file file_io_server \
    file_server filelib filename ftp gb_sets gb_trees gen gen_event gen_fsm gen_sctp gen_server gen_statem gen_tcp \
    gen_tcp_socket gen_udp global group group_history heart httpc httpc_handler httpc_request httpd inet inet6_tcp \
    inet_config inet_db inet_dns inet_gethost_native inet_parse inet_res inet_tcp inet_tcp_dist inet_tls_dist init io \
    io_lib io_lib_format io_lib_pretty json kernel lists local_tcp local_udp log_mf_h logger logger_backend \
    logger_formatter logger_h_common logger_olp logger_server logger_std_h maps math mnesia mnesia_tm mod_esi \
    net_adm net_kernel orddict ordsets os persistent_term pg pool prim_buffer prim_eval prim_file prim_inet \
    prim_socket prim_tty prim_zip proc_lib proplists public_key pubkey_cert qlc queue raw_file_io ram_file rand random \
    re rpc erpc release_handler sets shell shell_default slave sofs socket ssh ssh_connection_handler ssl \
    ssl_gen_statem ssl_handshake string supervisor supervisor_bridge sys systools tcp_socket timer tls_connection \
    tls_gen_connection tls_handshake tls_sender uri_string unicode user user_drv user_sup win32reg xmerl xmerl_scan zip zlib \
    cowboy cowboy_handler cowboy_http cowboy_http2 cowboy_rest cowboy_stream_h cowboy_router cowboy_req cowboy_clear \
    cowboy_websocket ranch ranch_conns_sup ranch_acceptor ranch_tcp ranch_server ranch_listener_sup ranch_embedded_sup \
    hackney hackney_pool hackney_connection hackney_connect hackney_response gun jsx jsx_decoder jiffy poolboy gproc \
    lager lager_config epgsql epgsql_sock eredis eredis_client brod brod_client brod_utils kpro kpro_connection \
    telemetry mochiweb mochiweb_http webmachine yaws recon jose worker_pool wpool prometheus ";

/// A frame in Elixir's form: `(app 1.0) lib/a.ex:3: A.b/2`, `app.exs:11: A.b/2`, `:erlang.map_get(:a, %{})`.
pub fn elixir(line: &[u8]) -> Option<Frame> {
    let line = std::str::from_utf8(&line[..line.len().min(BYTES)]).ok()?.trim();
    let (application, rest) = application(line);
    if let Some((file, number, function)) = place(rest) {
        let function = function_of(function)?;
        let in_app = match application {
            Some(name) => !holds(APPLICATIONS, name) && !file.starts_with("deps/"),
            None => !file.starts_with("deps/") && !is_library(&function),
        };
        return Some(Frame { function, file: Some(file.to_owned()), line: Some(number), in_app });
    }
    let function = call(rest)?;
    // Without a place a call with arguments is a function of the runtime, or one that does not exist.
    let in_app = match application {
        Some(name) => !holds(APPLICATIONS, name),
        None => rest.ends_with(|c: char| c.is_ascii_digit()) && !is_library(&function),
    };
    Some(Frame { function, file: None, line: None, in_app })
}

/// `(app 1.0) rest`; old versions of Elixir write no version.
fn application(line: &str) -> (Option<&str>, &str) {
    let inside = line.strip_prefix('(').and_then(|line| line.split_once(") "));
    let Some((inside, rest)) = inside else { return (None, line) };
    let name = inside.split(' ').next().unwrap_or_default();
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { (Some(name), rest) } else { (None, line) }
}

/// `lib/a.ex:3: A.b/2`: file, line, function.
fn place(text: &str) -> Option<(&str, u32, &str)> {
    let (place, function) = text.split_once(": ")?;
    let (file, line) = place.rsplit_once(':')?;
    let source = [".ex", ".exs", ".erl", ".eex", ".heex", ".leex", ".hrl", ".yrl", ".xrl", ".gleam", ".livemd"];
    let named = source.iter().any(|end| file.ends_with(end)) || matches!(file, "nofile" | "iex" | "stdin");
    let plain = !file.contains(['"', '(', '{']) && named;
    Some((file, line.parse().ok()?, function)).filter(|_| plain)
}

/// The function behind a place. What stands outside of any function is called by no name.
fn function_of(text: &str) -> Option<String> {
    match text {
        "(file)" | "(module)" | "__MODULE__" => Some(String::new()),
        _ => call(text),
    }
}

/// `A.b/2`, `A.b(1, 2)`, `anonymous fn/1 in A.b/2`, `:a.b/1`, with the arguments counted.
fn call(text: &str) -> Option<String> {
    if let Some((anonymous, outer)) = text.split_once(" in ").filter(|(start, _)| start.starts_with("anonymous fn/")) {
        return call(outer).map(|outer| format!("{anonymous} in {outer}"));
    }
    let anonymous = text.starts_with("#Function<") || text.starts_with("anonymous fn/");
    let dotted = text.contains('.') && text.starts_with(|c: char| c.is_alphabetic() || c == ':');
    if !(anonymous || dotted) {
        return None;
    }
    if let Some((_, arity)) = text.rsplit_once('/').filter(|(_, arity)| arity.parse::<u8>().is_ok()) {
        let name = &text[..text.len() - arity.len() - 1];
        let plain = anonymous || name.contains(".\"") || !name.contains([' ', '(']);
        return plain.then(|| text.to_owned());
    }
    let open = text.find('(').filter(|_| text.ends_with(')'))?;
    let name = &text[..open];
    (!name.contains(' ')).then(|| format!("{name}/{}", count(&text[open + 1..text.len() - 1])))
}

/// How many arguments there are at the top level of a list of them.
fn count(arguments: &str) -> usize {
    if arguments.trim().is_empty() {
        return 0;
    }
    let (mut depth, mut quoted, mut count) = (0_i32, false, 1);
    let mut before = '\0';
    for c in arguments.chars() {
        match c {
            '"' if before != '\\' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => count += 1,
            _ => {}
        }
        before = c;
    }
    count
}

/// A frame in the form of Erlang's shell: `in function  shelf:price/2 (shelf.erl, line 16)`, `in call from …`.
pub fn shell(line: &[u8]) -> Option<Frame> {
    let line = std::str::from_utf8(&line[..line.len().min(BYTES)]).ok()?.trim();
    let rest = line.strip_prefix("in function ").or_else(|| line.strip_prefix("in call from "))?.trim();
    let (function, place) = rest.split_once(" (").map_or((rest, ""), |(function, place)| (function, place));
    Some(named(function, shell_place(place)))
}

/// `shelf.erl, line 16)`
fn shell_place(place: &str) -> Option<(String, u32)> {
    let (file, line) = place.split(')').next()?.split_once(", line ")?;
    Some((file.to_owned(), line.parse().ok()?))
}

/// `no function clause matching shelf:price(#{a => 1}) (shelf.erl, line 4)`: the call that no clause takes is a frame.
pub fn unmatched(said: &str) -> Option<Frame> {
    let (_, call) = said.split_once("no function clause matching ")?;
    let open = call.find('(')?;
    let (arguments, place) = call[open + 1..].rsplit_once(" (").unwrap_or((&call[open + 1..], ""));
    let arguments = arguments.trim_end().trim_end_matches(')');
    Some(named(&format!("{}/{}", &call[..open], count(arguments)), shell_place(place)))
}

/// A frame by its function in Erlang's form: `shelf:price/2`; one of Elixir's modules is written as Elixir does.
pub fn named(function: &str, place: Option<(String, u32)>) -> Frame {
    let (file, line) = place.unzip();
    let function = function.trim();
    let function = match function.strip_prefix("'Elixir.").and_then(|rest| rest.split_once("':")) {
        Some((module, rest)) => format!("{module}.{rest}"),
        None => function.to_owned(),
    };
    let in_app = function.contains([':', '.']) && !is_library(&function);
    Frame { function, file, line, in_app }
}

/// The frames of a stack that is a term.
pub fn stack(term: &Term) -> Vec<Frame> {
    term.list().unwrap_or_default().iter().filter_map(frame).collect()
}

/// Whether a term is a stack: a list that begins with a frame.
pub fn is_stack(term: &Term) -> bool {
    term.list().and_then(<[Term]>::first).is_some_and(|first| frame(first).is_some())
}

/// `{shelf,price,2,[{file,"shelf.erl"},{line,16}]}`; instead of the number of arguments there may be the arguments.
fn frame(term: &Term) -> Option<Frame> {
    let (module, function, arguments, place) = match term.tuple()? {
        [module, function, arguments, place] if place.list().is_some() => (module, function, arguments, Some(place)),
        [module, function, arguments] => (module, function, arguments, None),
        _ => return None,
    };
    let arity = match &arguments.kind {
        Kind::Number(arity) => usize::try_from(*arity).ok()?,
        Kind::List(arguments) => arguments.len(),
        Kind::Text(text) => text.chars().count(),
        // A crash dump leaves out what is too long.
        Kind::Other | Kind::Atom(_) => 1,
        _ => return None,
    };
    let (module, function) = (module.atom()?, function.atom()?);
    let file = place.and_then(|place| place.property("file")).and_then(Term::text);
    let line = place.and_then(|place| place.property("line")).and_then(|line| match line.kind {
        Kind::Number(line) => u32::try_from(line).ok(),
        _ => None,
    });
    Some(named(&mfa(module, function, arity), None)).map(|named| Frame { file: file.map(str::to_owned), line, ..named })
}

/// The name of a function as its language writes it.
pub fn mfa(module: &str, function: &str, arity: usize) -> String {
    // Erlang quotes what is no plain atom.
    let plain = function.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '@' | '?' | '!'));
    let function = if plain { function.to_owned() } else { format!("'{function}'") };
    match module.strip_prefix("Elixir.") {
        Some(module) => format!("{module}.{function}/{arity}"),
        None => format!("{module}:{function}/{arity}"),
    }
}

/// The module of a function, in either form.
fn module(function: &str) -> &str {
    let function = function.rsplit_once(" in ").map_or(function, |(_, outer)| outer).trim_start_matches(':');
    if let Some((module, _)) = function.split_once(':') {
        return module;
    }
    function.split('.').next().unwrap_or(function)
}

fn is_library(function: &str) -> bool {
    let module = module(function);
    let erlang = function.starts_with(':') || module.starts_with(|c: char| c.is_lowercase());
    if erlang { holds(OTP, module) } else { holds(MODULES, module) }
}

fn holds(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// The name in one form, whatever wrote it, without the number of an anonymous function.
pub fn stable(function: &str) -> String {
    let (inner, function) = function.rsplit_once(" in ").map_or(("", function), |(_, outer)| ("fn ", outer));
    let function = function.trim_start_matches(':').replacen(':', ".", 1);
    let Some(at) = function.find("'-").or_else(|| function.find(".-")).or_else(|| function.find(".\"-")) else {
        return format!("{inner}{function}");
    };
    // `shelf.-run/1-fun-0-/0` lies inside of `shelf.run/1`.
    let (module, rest) = (&function[..at], function[at..].trim_start_matches(['.', '\'', '"', '-']));
    let outer = rest.split('-').next().unwrap_or(rest);
    let module = module.trim_end_matches('.');
    format!("fn {module}.{outer}")
}

/// Whether a line can be a frame: it is indented.
pub fn is_indented(line: &[u8]) -> bool {
    line.starts_with(b"    ") && !text::blank(line)
}

#[cfg(test)]
mod tests {
    use super::super::term;
    use super::*;

    fn shown(frame: &Frame) -> String {
        let own = if frame.in_app { " own" } else { "" };
        format!("{} {}:{}{own}", frame.function, frame.file.as_deref().unwrap_or("-"), frame.line.unwrap_or(0))
    }

    #[test]
    fn frames_of_elixir_are_read() {
        let cases = [
            (
                "    (depot 0.1.0) lib/depot/orders.ex:46: Depot.Orders.price/2",
                "Depot.Orders.price/2 lib/depot/orders.ex:46 own",
            ),
            (
                "    (depot) lib/depot/orders.ex:46: Depot.Orders.price/2",
                "Depot.Orders.price/2 lib/depot/orders.ex:46 own",
            ),
            ("    app.exs:53: Depot.Worker.find/2", "Depot.Worker.find/2 app.exs:53 own"),
            ("    app.exs:63: (file)", " app.exs:63 own"),
            (
                "    app.exs:41: anonymous fn/1 in Depot.Worker.run/1",
                "anonymous fn/1 in Depot.Worker.run/1 app.exs:41 own",
            ),
            (
                "    (elixir 1.14.0) lib/enum.ex:2468: Enum.\"-reduce/3-lists^foldl/2-0-\"/3",
                "Enum.\"-reduce/3-lists^foldl/2-0-\"/3 lib/enum.ex:2468",
            ),
            (
                "    (stdlib 4.2) gen_server.erl:1123: :gen_server.try_dispatch/4",
                ":gen_server.try_dispatch/4 gen_server.erl:1123",
            ),
            ("    :erlang.map_get(:depot_id, %{a: 1})", ":erlang.map_get/2 -:0"),
            ("    nil.depot()", "nil.depot/0 -:0"),
            ("    Depot.None.go(1, {2, 3})", "Depot.None.go/2 -:0"),
            ("    (depot 0.1.0) lib/depot.ex:4: Depot.only(nil)", "Depot.only/1 lib/depot.ex:4 own"),
            (
                "    (depot 0.1.0) deps/phoenix/lib/phoenix/router.ex:9: Depot.Router.call/2",
                "Depot.Router.call/2 deps/phoenix/lib/phoenix/router.ex:9",
            ),
            ("    (shelf 1.0.0) /srv/src/shelf.erl:3: :shelf.price/1", ":shelf.price/1 /srv/src/shelf.erl:3 own"),
            ("    anonymous fn/2 in Depot.Worker.__struct__/1", "anonymous fn/2 in Depot.Worker.__struct__/1 -:0 own"),
        ];
        for (line, expected) in cases {
            let frame = elixir(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(shown(&frame), expected);
        }
        for line in [
            "    The following arguments were given to Depot.only/1:",
            "    # 1",
            "    nil",
            "  * 1st argument: not",
            "    ** (EXIT) no process: the",
        ] {
            assert_eq!(elixir(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn frames_of_the_shell_and_of_terms_are_read() {
        let cases = [
            (
                "      in function  shelf_server:price/2 (src/shelf_server.erl, line 16)",
                "shelf_server:price/2 src/shelf_server.erl:16 own",
            ),
            (
                "      in call from gen_server:try_dispatch/4 (gen_server.erl, line 1123)",
                "gen_server:try_dispatch/4 gen_server.erl:1123",
            ),
            ("      in function  map_get/2", "map_get/2 -:0"),
            (
                "      in call from 'Elixir.Depot.Orders':price/2 (lib/orders.ex, line 4)",
                "Depot.Orders.price/2 lib/orders.ex:4 own",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(shown(&shell(line.as_bytes()).unwrap()), expected);
        }
        let frame =
            unmatched("no function clause matching shelf:price(#{amount => 3},[a,b]) (shelf.erl, line 4)").unwrap();
        assert_eq!(shown(&frame), "shelf:price/2 shelf.erl:4 own");
        let term = term::read("[{erlang,map_get,[tx,#{}],[{error_info,#{}}]},{'Elixir.Depot.Orders',price,2,[{file,\"lib/orders.ex\"},{line,4}]},{shelf,'-run/1-fun-0-',0,[]}]").unwrap();
        let all: Vec<String> = stack(&term).iter().map(shown).collect();
        assert_eq!(
            all,
            ["erlang:map_get/2 -:0", "Depot.Orders.price/2 lib/orders.ex:4 own", "shelf:'-run/1-fun-0-'/0 -:0 own"]
        );
    }

    #[test]
    fn names_are_the_same_in_every_form() {
        let cases = [
            ("shelf:price/2", "shelf.price/2"),
            (":shelf.price/2", "shelf.price/2"),
            ("Depot.Orders.price/2", "Depot.Orders.price/2"),
            ("anonymous fn/0 in Depot.Worker.run/1", "fn Depot.Worker.run/1"),
            ("Depot.Worker.-run/1-fun-3-/0", "fn Depot.Worker.run/1"),
            ("shelf:-run/1-fun-0-/0", "fn shelf.run/1"),
            ("shelf:'-run/1-fun-0-'/0", "fn shelf.run/1"),
            ("", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(stable(name), expected, "{name}");
        }
    }
}
