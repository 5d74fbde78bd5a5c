#pragma once

#include <string>

namespace cellos {

/// Makes what the parent left to us what a daemon needs, whoever started it: nothing of it may reach the evidence, end
/// the process undrained, or show its keys. Empty, or why that cannot be done.
///
/// - Descriptors 0, 1 and 2 are open, or a log's file could become standard error.
/// - Signals are blocked and at their defaults (see awaited_signals).
/// - No core dump, no debugger of this user: both would hold keys.
/// - Others may read no file that is made; the group may not write any.
/// - Of the environment only what the daemon heeds is left, and keys in it are out of /proc/PID/environ.
///
/// First of all in main, before any thread.
std::string secure_inherited_environment();

}  // namespace cellos
