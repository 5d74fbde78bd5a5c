#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace cellos::soak {

/// Counts the operator's events by name, and keeps the few lines whose names a test asks for.
class event_counter final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::uint64_t count(std::string_view event) {
    const std::lock_guard lock{mutex_};
    const auto known = counts_.find(event);
    return known == counts_.end() ? 0 : known->second;
  }

  /// The last line of this event; empty if there was none.
  std::string last(std::string_view event) {
    const std::lock_guard lock{mutex_};
    const auto known = last_.find(event);
    return known == last_.end() ? "" : known->second;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view line{message.payload.data(), message.payload.size()};
    const std::string_view event = line.substr(0, line.find(' '));
    ++counts_.try_emplace(std::string{event}).first->second;
    last_.insert_or_assign(std::string{event}, std::string{line});
  }
  void flush_() override {}

  std::map<std::string, std::uint64_t, std::less<>> counts_;
  std::map<std::string, std::string, std::less<>> last_;
};

}  // namespace cellos::soak
