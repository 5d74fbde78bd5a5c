# Makes telemetryd.toml(5) from config/telemetryd.toml: awk -v date="November 24, 2026" -f telemetryd.toml.awk FILE
#
# A comment that stands right above settings describes them, one above a table describes the table, and one that an empty
# line follows is prose. "#name" and "#[table]" are settings and tables at their default, as the file itself says.

BEGIN {
  print ".Dd " date "\n.Dt TELEMETRYD.TOML 5\n.Os cellos-host-telemetry"
  print ".Sh NAME\n.Nm telemetryd.toml\n.Nd configuration of cellos-telemetryd\n.Sh DESCRIPTION"
}

function escaped(text) {
  gsub(/\\/, "\\e", text)
  gsub(/"/, "\\(dq", text)
  return text ~ /^[.']/ ? "\\&" text : text
}

function print_prose(  i) {
  for (i = 1; i <= prose_lines; ++i) print prose[i] == "" ? ".Pp" : escaped(prose[i])
  prose_lines = 0
}

function begin_list() {
  if (!in_list) print ".Bl -tag -width Ds"
  in_list = 1
}

function end_list() {
  if (in_list) print ".El"
  in_list = 0
}

# The settings that share the comment above them.
function print_settings(  i) {
  if (settings == 0) return
  begin_list()
  for (i = 1; i <= settings; ++i) print ".It Ic " name[i] " No = " value[i]
  settings = 0
  print_prose()
}

function is_setting(text) { return text ~ /^[a-z][a-z_]* = / }

{
  line = $0
  if (line ~ /^#[^ ]/) line = substr(line, 2)
}

line ~ /^# / {
  print_settings()
  prose[++prose_lines] = substr(line, 3)
  next
}
line == "#" { prose[++prose_lines] = ""; next }
line == "" {
  print_settings()
  if (prose_lines > 0) { end_list(); print_prose() }
  next
}
line ~ /^\[/ {
  print_settings()
  end_list()
  print ".Ss " line
  print_prose()
  next
}
is_setting(line) {
  name[++settings] = substr(line, 1, index(line, " ") - 1)
  value[settings] = escaped(substr(line, index(line, " = ") + 3))
  next
}
{
  print "telemetryd.toml.awk: line " NR " is none that it knows: " $0 > "/dev/stderr"
  exit failed = 1
}

END {
  if (failed) exit 1
  print_settings()
  end_list()
  print ".Sh FILES\n.Bl -tag -width Ds\n.It Pa /etc/cellos-telemetry/telemetryd.toml\nRead by the service.\n.El"
  print ".Sh SEE ALSO\n.Xr cellos-telemetryctl 1 ,\n.Xr cellos-telemetryd 8"
}
