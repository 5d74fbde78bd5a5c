#include "actors/failure.hpp"

#include <caf/atom.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/exit_reason.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

#include <utility>

namespace cellos {

namespace {
constexpr caf::atom_value category = caf::atom("cellos");
}

caf::error make_failure(failure kind, std::string explanation) {
  return {static_cast<std::uint8_t>(kind), category, caf::make_message(std::move(explanation))};
}

bool is_failure(const caf::error& error, failure kind) {
  return error.category() == category && error.code() == static_cast<std::uint8_t>(kind);
}

bool receiver_died(const caf::error& error) {
  return error && (error == caf::sec::request_receiver_down || error == caf::sec::invalid_argument ||
                   error == caf::sec::runtime_error || error.category() == caf::atom("exit"));
}

std::string explanation(const caf::error& error) {
  if (error.category() == category && error.context().match_elements<std::string>()) {
    return error.context().get_as<std::string>(0);
  }
  if (error.category() == caf::atom("system")) return caf::to_string(static_cast<caf::sec>(error.code()));
  if (error.category() == caf::atom("exit")) return caf::to_string(static_cast<caf::exit_reason>(error.code()));
  return "error " + std::to_string(error.code());
}

}  // namespace cellos
