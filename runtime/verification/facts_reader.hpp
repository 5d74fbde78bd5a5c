#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/verification/line_result.hpp"

namespace cellos::verification {

/// A number as our events spell it: decimal digits alone.
std::optional<std::uint64_t> decimal(std::string_view text);

/// Reads what an event's `data` says, of the kinds where it matters. For one thread.
class facts_reader {
 public:
  facts_reader();
  facts_reader(const facts_reader&) = delete;
  facts_reader& operator=(const facts_reader&) = delete;
  ~facts_reader();

  /// Null if `data` is no object.
  std::unique_ptr<event_facts> read(std::string_view data);

  /// Of what was read last; empty where it names none.
  const std::string& former_key_id() const { return former_key_id_; }
  const std::string& key_id() const { return key_id_; }

 private:
  struct scratch;
  std::unique_ptr<scratch> scratch_;
  std::string former_key_id_;
  std::string key_id_;
};

}  // namespace cellos::verification
