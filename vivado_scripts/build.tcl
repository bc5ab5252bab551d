# build.tcl: synthesis, placement and routing of a generated project, out of context or whole.
#
#   vivado -mode batch -source build.tcl -tclargs sources DIR part PART clock_ns NS output DIR ...
#
# sources    folder of the Verilog and the memory files
# part       with package and speed grade, such as xc7vx690tffg1761-2
# clock_ns   period of clk_i; a whole build takes its clocks from its constraints
# output     folder for reports and checkpoints; memory files are copied to where Vivado runs
# top        ernn_top, if not given
# xdc        constraints of a board: build whole, with pins and a bitstream
# wrapper    Verilog of the board's top module, for a whole build
# plan       name of the design, to be found again in result.txt
# missed     error, or report: what to do when timing is missed. Reports are written in any case
#
# Writes synth.dcp, routed.dcp, utilization.rpt, utilization_hierarchical.rpt, timing_summary.rpt,
# route_status.rpt, drc.rpt, power.rpt (without a simulation: power.tcl), <top>.bit of a whole
# build, and last result.txt: a name and a value a line.

set scripts [file dirname [file normalize [info script]]]
source [file join $scripts arguments.tcl]
set defaults {top ernn_top xdc {} wrapper {} plan {} missed error}
set given [read_arguments {sources part clock_ns output} $defaults]
dict with given {}

if {![string is double -strict $clock_ns] || $clock_ns <= 0} {
  error "clock_ns is '$clock_ns'; give the clock period in nanoseconds, for example 5.0"
}
if {$missed ni {error report}} {
  error "missed is '$missed'; give error or report"
}
set verilog [lsort [glob -nocomplain -directory $sources *.v]]
if {[llength $verilog] == 0} {
  error "no Verilog in '$sources'; give the rtl folder of a generated project"
}
if {$wrapper ne {}} {
  if {$xdc eq {}} {
    error "a wrapper has pins; give its constraints as xdc too"
  }
  lappend verilog [need_file wrapper $wrapper]
}
if {$xdc ne {}} {
  set xdc [need_file xdc $xdc]
}
file mkdir $output
file delete [file join $output result.txt]

# $readmemh finds the memory files where Vivado runs.
foreach name [lsort [glob -nocomplain -directory $sources *.mem]] {
  if {[file normalize [file dirname $name]] ne [pwd]} {
    file copy -force $name [pwd]
  }
}

source [file join $scripts strict.tcl]
read_verilog $verilog
if {$xdc eq {}} {
  set constraints [file join $output clock.xdc]
  set channel [open $constraints w]
  puts $channel "create_clock -name clk -period $clock_ns \[get_ports clk_i\]"
  close $channel
  read_xdc $constraints
  synth_design -part $part -top $top -mode out_of_context
} else {
  read_xdc $xdc
  synth_design -part $part -top $top
}
write_checkpoint -force [file join $output synth.dcp]

opt_design
place_design
phys_opt_design
route_design
write_checkpoint -force [file join $output routed.dcp]

report_utilization -file [file join $output utilization.rpt]
report_utilization -hierarchical -file [file join $output utilization_hierarchical.rpt]
report_timing_summary -max_paths 10 -file [file join $output timing_summary.rpt]
report_route_status -file [file join $output route_status.rpt]
report_drc -file [file join $output drc.rpt]
report_power -file [file join $output power.rpt]

set setup [get_property SLACK [get_timing_paths -max_paths 1 -setup]]
set hold [get_property SLACK [get_timing_paths -max_paths 1 -hold]]
set met [expr {$setup >= 0 && $hold >= 0}]
if {$xdc ne {} && $met} {
  write_bitstream -force [file join $output $top.bit]
}

set channel [open [file join $output result.txt] w]
puts $channel "vivado [version -short]"
puts $channel "plan $plan"
puts $channel "part $part"
puts $channel "top $top"
puts $channel "mode [expr {$xdc eq {} ? {out_of_context} : {whole}}]"
puts $channel "clock_ns $clock_ns"
puts $channel "setup_slack_ns $setup"
puts $channel "hold_slack_ns $hold"
close $channel

if {!$met && $missed eq {error}} {
  error "timing is not met: slack $setup ns (setup), $hold ns (hold); plan with a slower clock"
}
