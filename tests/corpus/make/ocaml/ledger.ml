exception Sealed of string * int
exception Lost of { id : int; why : string }

let table : (string, int) Hashtbl.t = Hashtbl.create 7
let text = Sys.opaque_identity

module Plan = struct
  let[@inline never] find key =
    let value = Hashtbl.find table key in (* culprit: find
    *)
    value + 1

  let[@inline never] find_again key =
    let value = Hashtbl.find table key in (* culprit: find-again
    *)
    value + 1

  let[@inline never] at (items : int array) index =
    let item = items.(index) in (* culprit: index
    *)
    item + 1

  let[@inline never] average count =
    let mean = 10 / count in (* culprit: divide
    *)
    mean + 1

  let[@inline never] only number =
    if number = 1 then 2 else
    assert false (* culprit: assert
    *)

  let[@inline never] lane number =
    let (Some lane) [@warning "-8"] = (if number = 1 then Some 1 else None) in (* culprit: pattern
    *)
    lane + 1

  let[@inline never] seal number =
    let value = raise (Sealed ("shelf", number)) in (* culprit: sealed
    *)
    value + 1

  let[@inline never] lose number =
    let value = raise (Lost { id = number; why = "no lane" }) in (* culprit: lost
    *)
    value + 1

  let[@inline never] fail why =
    let value = failwith why in (* culprit: failure
    *)
    value + 1

  let[@inline never] head items =
    let item = List.hd items in (* culprit: head
    *)
    item + 1

  let[@inline never] nth items =
    let item = List.nth items 7 in (* culprit: nth
    *)
    item + 1

  let[@inline never] option value =
    let item = Option.get value in (* culprit: option
    *)
    item + 1

  let[@inline never] number word =
    let value = int_of_string word in (* culprit: number
    *)
    value + 1

  let[@inline never] read path =
    let channel = open_in path in (* culprit: file
    *)
    in_channel_length channel + 1

  let[@inline never] setting name =
    let value = if Sys.getenv_opt name = None then failwith (name ^ " is not set") else 1 in (* culprit: setting
    *)
    value + 1

  let[@inline never] connect port =
    let socket = Unix.socket Unix.PF_INET Unix.SOCK_STREAM 0 in
    Unix.connect socket (Unix.ADDR_INET (Unix.inet_addr_loopback, port)); (* culprit: connect
    *)
    1

  let[@inline never] bind port =
    let socket = Unix.socket Unix.PF_INET Unix.SOCK_STREAM 0 in
    Unix.bind socket (Unix.ADDR_INET (Unix.inet_addr_loopback, port)); (* culprit: bind
    *)
    Unix.listen socket 1;
    1

  let rec depth number =
    let value = depth (number + 1) in (* culprit: depth
    *)
    value + 1

  let[@inline never] memory size =
    let bytes = Bytes.create size in (* culprit: memory
    *)
    Bytes.length bytes + 1

  let[@inline never] reraise key =
    try find key with error -> prerr_endline "ledger: cleaning up"; raise error

  let[@inline never] line path =
    let channel = open_in path in
    let value = input_line channel in (* culprit: line
    *)
    String.length value + 1
end

let run = function
  | "find" -> Plan.find (text "TX")
  | "find-again" -> Plan.find_again (text "TX")
  | "index" -> Plan.at [| 1; 2 |] 7
  | "divide" -> Plan.average (String.length (text ""))
  | "assert" -> Plan.only 9
  | "pattern" -> Plan.lane 9
  | "sealed" -> Plan.seal 7
  | "lost" -> Plan.lose 7
  | "failure" -> Plan.fail "ledger is sealed"
  | "head" -> Plan.head []
  | "nth" -> Plan.nth [ 1 ]
  | "option" -> Plan.option None
  | "number" -> Plan.number (text "zz")
  | "file" -> Plan.read (text "/etc/ledger/none.conf")
  | "setting" -> Plan.setting (text "LEDGER_DATABASE_URL")
  | "connect" -> Plan.connect 1
  | "bind" -> Plan.bind 18974 + Plan.bind 18974
  | "depth" -> Plan.depth 1
  | "memory" -> Plan.memory (1 lsl 46)
  | "reraise" -> Plan.reraise (text "TX")
  | "line" -> Plan.line (text "/dev/null")
  | "thread" ->
    Thread.join (Thread.create (fun () -> ignore (Plan.find (text "TX"))) ());
    for order = 1 to 30 do Printf.printf "[ledger] order %d posted\n%!" order done;
    0
  | "printed" -> (
    try Plan.find (text "TX")
    with error ->
      Printf.eprintf "ledger: uncaught %s\n%s%!" (Printexc.to_string error) (Printexc.get_backtrace ());
      exit 1)
  | _ -> 0

let () =
  let how = Sys.argv.(1) in
  for step = 1 to 4 do Printf.printf "[ledger] step %d of %s\n%!" step how done;
  let total = run how in
  Printf.printf "[ledger] total %d\n%!" total
