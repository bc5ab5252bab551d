# strict.tcl: make Vivado stop where it would only warn about a circuit that is not the one meant.

foreach id {
  {Synth 8-87}    ;# always_comb does not result in combinational logic
  {Synth 8-327}   ;# inferred latch
  {Synth 8-3352}  ;# multi-driven net
  {Synth 8-6104}  ;# input port has an internal driver
  {Synth 8-2898}  ;# malformed $readmem
  {Synth 8-4445}  ;# $readmem data file could not be opened
} {
  set_msg_config -id $id -new_severity ERROR
}
set_msg_config -severity {CRITICAL WARNING} -new_severity ERROR

# But not where timing is missed: build.tcl judges that itself, when the reports are written.
foreach id {{Timing 38-282} {Route 35-39}} {
  set_msg_config -id $id -new_severity WARNING
}
