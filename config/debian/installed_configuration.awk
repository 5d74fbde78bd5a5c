# Makes the configuration that is installed from the documented example: the same, without cells.
/^\[/ { of_a_cell = /^\[\[cell\]\]/ }
{ print (of_a_cell && /^[^#]/ ? "#" : "") $0 }
