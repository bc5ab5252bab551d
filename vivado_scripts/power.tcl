# power.tcl: power of a routed design, with the switching activity of a simulation.
#
#   vivado -mode batch -source power.tcl -tclargs checkpoint routed.dcp output DIR ...
#
# checkpoint  written by build.tcl
# output      folder for power.rpt and, with a simulation, saif_unmatched.rpt
# saif        switching activity of the design
# strip_path  the accelerator's instance in it, such as ernn_testbench/u_top

source [file join [file dirname [file normalize [info script]]] arguments.tcl]
set given [read_arguments {checkpoint output} {saif {} strip_path {}}]
dict with given {}

set checkpoint [need_file checkpoint $checkpoint]
if {($saif eq {}) != ($strip_path eq {})} {
  error "saif and strip_path belong together; give both or none"
}
if {$saif ne {}} {
  set saif [need_file saif $saif]
}
file mkdir $output

open_checkpoint $checkpoint
if {$saif ne {}} {
  read_saif -strip_path $strip_path -out_file [file join $output saif_unmatched.rpt] $saif
}
report_power -file [file join $output power.rpt]
