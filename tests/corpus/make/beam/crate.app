{application, crate,
 [{description, "crates"}, {vsn, "1.2.0"}, {modules, []}, {registered, []},
  {applications, [kernel, stdlib]}, {mod, {crate_app, []}}]}.
