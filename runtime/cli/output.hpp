#pragma once

#include "runtime/os/exit_code.hpp"

namespace cellos::cli {

/// Where whoever started this program had closed standard input, output or error: so that no other file is taken for
/// one of them, and that what is written there fails.
void hold_standard_descriptors();

/// `outcome`, unless something that was printed could not be written: then says so, and it is `exit_unavailable`. A
/// reader that has gone away wanted no more. Nothing can be printed afterwards.
exit_code close_output(exit_code outcome);

}  // namespace cellos::cli
