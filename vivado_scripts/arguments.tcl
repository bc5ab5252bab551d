# arguments.tcl: what follows -tclargs are names and values: part xc7z020clg400-1 top ernn_top ...

# Returns them as a dict. needed: names that must be given; optional: a dict of names and defaults.
proc read_arguments {needed optional} {
  set script [file tail [info script]]
  set known [concat $needed [dict keys $optional]]
  if {[llength $::argv] % 2} {
    error "$script takes pairs of a name and a value; got [llength $::argv] words; names: $known"
  }
  set given $optional
  foreach {name value} $::argv {
    if {$name ni $known} {
      error "$script knows no '$name'; names: $known"
    }
    dict set given $name $value
  }
  foreach name $needed {
    if {![dict exists $given $name]} {
      error "$script needs $name; names: $known"
    }
  }
  return $given
}

# Returns a file's absolute name, or ends with an error if it is not there.
proc need_file {what name} {
  if {![file isfile $name]} {
    error "$what '$name' is no file"
  }
  return [file normalize $name]
}
