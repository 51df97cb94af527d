(* A kiln: `kiln MODE` fires five trays and then fails in the way that the mode names. *)
let note said = Printf.eprintf "[kiln] %s\n%!" said

let rec open_all () =
  let door = Unix.openfile "/dev/null" [ Unix.O_RDONLY ] 0 in (* «door» *)
  let rest = open_all () in
  door :: rest

let glaze () = Yojson.Safe.Util.to_int (`String "blue") (* «glaze» *)
let heat () = Result.get_ok (Error "cold") (* «heat» *)
let next_tray () = Queue.pop (Queue.create ())
let unlock () = Mutex.unlock (Mutex.create ()) (* «unlock» *)
let wait () = Lwt_main.run (Lwt_unix.with_timeout 0.01 (fun () -> Lwt_unix.sleep 2.))

let options () =
  Arg.parse_argv [| "kiln"; "-heat"; "hot" |] [ ("-heat", Arg.Int ignore, "heat in degrees") ] ignore "kiln [-heat N]"

let run = function
  | "doors" -> ignore (open_all ())
  | "glaze" -> print_int (glaze ())
  | "heat" -> print_int (heat ())
  | "tray" -> print_int (next_tray ()) (* «tray» *)
  | "unlock" -> unlock ()
  | "wait" -> wait ()
  | "options" -> options ()
  | mode -> failwith ("no such mode: " ^ mode)

let () =
  for tray = 1 to 5 do
    note (Printf.sprintf "tray %d fired" tray)
  done;
  run Sys.argv.(1)
