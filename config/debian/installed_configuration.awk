# Makes the configuration that is installed from the documented example: the same, without cells, and without a host_id:
# what has begun under one name goes on under it, so that nothing may begin before it is chosen.
/^\[/ { of_a_cell = /^\[\[cell\]\]/ }
/^host_id = / {
  print "# The service starts nothing before it is set."
  print "#" $0
  next
}
{ print (of_a_cell && /^[^#]/ ? "#" : "") $0 }
