# package_ip.tcl: let Vivado check the IP that `ernn package` wrote, and add what only Vivado makes.
#
#   vivado -mode batch -source package_ip.tcl -tclargs package DIR ...
#
# package  folder with component.xml; buses, registers and files are as told there
# archive  name of a .zip file to make of it

source [file join [file dirname [file normalize [info script]]] arguments.tcl]
set given [read_arguments {package} {archive {}}]
dict with given {}

set component [need_file component [file join $package component.xml]]
create_project -in_memory check  ;# the packager works in a project
set core [ipx::open_core $component]
if {[get_property VLNV $core] in {{} :::}} {
  error "Vivado reads no IP in $component"
}
ipx::create_xgui_files $core
ipx::update_checksums $core
if {![ipx::check_integrity -quiet $core]} {
  ipx::check_integrity $core
  error "Vivado does not accept $component; its messages above say why"
}
ipx::save_core $core
if {$archive ne {}} {
  ipx::archive_core [file normalize $archive] $core
}
ipx::unload_core $core
close_project
