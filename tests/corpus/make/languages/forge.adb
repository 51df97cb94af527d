with Ada.Text_IO; use Ada.Text_IO;
with Ada.Command_Line; use Ada.Command_Line;

procedure Forge is
   type Tools is array (Positive range <>) of Integer;
   Too_Hot : exception;
   Rack : Tools (1 .. 3) := (1, 2, 3);

   procedure Hammer (N : Integer) is
   begin
      Rack (N) := 4; -- «hammer»
   end Hammer;

   Plan : File_Type;
   Job  : constant String := Argument (1);
begin
   Put_Line ("forge 0.9 starting");
   if Job = "index" then
      Hammer (Argument_Count + 6);
   elsif Job = "raise" then
      raise Too_Hot with "forge at 1400 C";
   else
      Open (Plan, In_File, "/etc/forge/plan.txt");
   end if;
end Forge;
