{$mode objfpc}
program lock;
uses SysUtils;
var levels: array of Integer;

procedure Fill(n: Integer);
begin
  levels[n] := 3; // «lock-fill»
end;

begin
  writeln('lock 0.5 starting');
  SetLength(levels, 3);
  if ParamStr(1) = 'index' then
    Fill(9);
  raise Exception.Create('gate 2 is stuck');
end.
