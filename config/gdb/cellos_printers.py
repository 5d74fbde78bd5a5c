"""Shows in gdb what CAF 0.17 hides: who an actor handle means, how many hold a pointer, what an error says.

    gdb -x config/gdb/cellos_printers.py build/debug/bin/PROGRAM
"""

import gdb
import gdb.printing


def atom_text(number):
    """The characters of a caf::atom_value: six bits each, behind four bits 1111."""
    alphabet = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    text = ""
    mask = 0xF
    for shift in range(60, -1, -6):
        if mask == 0xF:
            if ((number >> shift) & 0xF) != 0xF:
                continue
            mask = 0x3F
            continue
        text += alphabet[(number >> shift) & 0x3F]
    return text.strip()


class intrusive_ptr:
    """What it points to, and how many references there are."""

    def __init__(self, value):
        self.pointer = value["ptr_"]

    def to_string(self):
        if int(self.pointer) == 0:
            return "null"
        try:
            count = self.pointer.dereference()["rc_"]["_M_i"]
            return "%s (%d references)" % (self.pointer, int(count))
        except gdb.error:
            return str(self.pointer)


class actor_handle:
    """The actor's number, as CAF prints it, and its references."""

    def __init__(self, value):
        self.control = value["ptr_"]["ptr_"] if "ptr_" in [f.name for f in value["ptr_"].type.fields()] else value["ptr_"]

    def to_string(self):
        if int(self.control) == 0:
            return "no actor"
        block = self.control.dereference()
        return "actor %d (%d strong, %d weak)" % (
            int(block["aid"]),
            int(block["strong_refs"]["_M_i"]),
            int(block["weak_refs"]["_M_i"]),
        )


class atom_value:
    def __init__(self, value):
        self.number = int(value) & 0xFFFFFFFFFFFFFFFF

    def to_string(self):
        return "'%s'" % atom_text(self.number)


class error:
    """Code and category; the category is an atom."""

    def __init__(self, value):
        self.content = value["data_"]

    def to_string(self):
        if int(self.content) == 0:
            return "no error"
        content = self.content.dereference()
        return "error %d of %s" % (int(content["code"]), atom_text(int(content["category"]) & 0xFFFFFFFFFFFFFFFF))


def printers():
    known = gdb.printing.RegexpCollectionPrettyPrinter("cellos")
    known.add_printer("intrusive_ptr", r"^caf::intrusive_ptr<.*>$", intrusive_ptr)
    known.add_printer("typed_actor", r"^caf::typed_actor<.*>$", actor_handle)
    known.add_printer("actor", r"^caf::(actor|strong_actor_ptr|actor_addr)$", actor_handle)
    known.add_printer("atom_value", r"^caf::atom_value$", atom_value)
    known.add_printer("error", r"^caf::error$", error)
    return known


gdb.printing.register_pretty_printer(None, printers(), replace=True)
