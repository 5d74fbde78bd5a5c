#pragma once

#include <cstdint>
#include <string>

#include "runtime/signing/key_list.hpp"

/// Logs that are the same to the byte whenever they are made: fixed keys, a clock that a script moves, no randomness.
namespace cellos::test {

enum class scripted_signing : std::uint8_t {
  off,
  /// A signature at least every four events.
  checkpoint,
  /// Every event is signed.
  event,
};

/// A host with two cells that starts, changes its key, dies, starts again, removes evidence and stops. Nothing is wrong
/// with it.
std::string scripted_log(scripted_signing signing);

/// What starts of a host say of a log that somebody wrote into, with every kind of finding there is.
std::string scripted_findings(scripted_signing signing);

/// Whose signatures the logs bear.
key_list scripted_keys();

}  // namespace cellos::test
