#pragma once

#include <caf/error.hpp>

#include <string>

namespace cellos {

/// Failures actors answer requests with; each has a sentence for a person.
enum class failure : std::uint8_t {
  bind_failed = 1,
  /// The cell id is live with another specification, or its socket belongs to another cell.
  cell_conflict,
  unknown_cell,
  /// The daemon is stopping, or the cell is being retired.
  stopping,
  /// The part that should have answered did not, in its time.
  no_answer,
  /// Why a CELL SUPERVISOR quits when its cell's run is over: not to be replaced.
  cell_ended,
};

caf::error make_failure(failure kind, std::string explanation);

/// Whether `error` came from `make_failure` with this kind.
bool is_failure(const caf::error& error, failure kind);

/// Whether a request failed because its receiver died: was dead already (`request_receiver_down`), has no successor yet
/// (`invalid_argument`: it was put to nobody), or died with the request in its mailbox, when CAF answers with what it
/// died of: an exit reason, or `runtime_error`, which is what `die_of_exceptions` ends an actor with. Every other error
/// is an answer.
bool receiver_died(const caf::error& error);

/// The sentence of a failure; for any other error what CAF has to say.
std::string explanation(const caf::error& error);

}  // namespace cellos
