# build.tcl: out-of-context synthesis, placement and routing of a generated project.
#
#   cd PROJECT/rtl
#   vivado -mode batch -source build.tcl -tclargs <part> <top> <clock_ns> <output folder>
#
# Run it in the folder of the Verilog: memory files are named relative to it. Reports go to the output
# folder: utilization.rpt, timing.rpt. It ends with an error if timing is not met.

if {[llength $argv] != 4} {
  error "build.tcl needs four arguments: part top clock_ns output_folder; got [llength $argv]"
}
lassign $argv part top clock_ns output
if {![string is double -strict $clock_ns] || $clock_ns <= 0} {
  error "clock_ns is '$clock_ns'; give the clock period in nanoseconds, for example 5.0"
}
set sources [lsort [glob -nocomplain *.v]]
if {[llength $sources] == 0} {
  error "no Verilog in [pwd]; change to the rtl folder of a generated project"
}
file mkdir $output

source [file join [file dirname [file normalize [info script]]] strict.tcl]
read_verilog $sources
synth_design -part $part -top $top -mode out_of_context
create_clock -name clk -period $clock_ns [get_ports clk_i]
opt_design
place_design
route_design
report_utilization -hierarchical -file [file join $output utilization.rpt]
report_timing_summary -file [file join $output timing.rpt]

set slack [get_property SLACK [get_timing_paths -max_paths 1 -setup]]
if {$slack < 0} {
  error "timing is not met: slack $slack ns at a period of $clock_ns ns; plan with a slower clock"
}
