#include "runtime/probes/metrics_account.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "runtime/lines/canonical_json.hpp"

namespace cellos {

namespace {

namespace dom = simdjson::dom;

/// Groups, aggregates in them, and room for a level or two to come.
constexpr std::size_t most_nesting = 8;

/// SharedStoreMetric in Firecracker's src/vmm/src/logger/metrics.rs, and what it writes beside its metrics.
constexpr std::array stored_groups{std::string_view{"latencies_us."}, std::string_view{"seccomp."},
                                   std::string_view{"signals."}};
constexpr std::array stored_names{
    std::string_view{"utc_timestamp_ms"},
    std::string_view{"panic_count"},
    std::string_view{"process_startup_time_us"},
    std::string_view{"process_startup_time_cpu_us"},
    std::string_view{"min_us"},
    std::string_view{"max_us"},
    std::string_view{"activate_time_us"},
    std::string_view{"config_change_time_us"},
};
/// The one signal that is counted: the others end the process.
constexpr std::string_view counted_signal = "signals.sigpipe";

/// Calls `take(name, number)` for every number that is not negative; other values are not added up.
template <class Take>
void for_each_number(dom::object object, std::string& name, const Take& take) {
  const std::size_t length = name.size();
  for (const dom::key_value_pair member : object) {
    name.resize(length);
    if (length > 0) name += '.';
    name += member.key;
    dom::object group;
    std::uint64_t number = 0;
    if (member.value.get(group) == simdjson::SUCCESS) {
      for_each_number(group, name, take);
    } else if (member.value.get(number) == simdjson::SUCCESS) {
      take(std::string_view{name}, number);
    }
  }
  name.resize(length);
}

/// So that order by byte is the order of RFC 8785.
bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

struct metrics_account::parser {
  dom::parser json;
};

metrics_account::metrics_account(const metrics_limits& limits) : limits_(limits), parser_(std::make_unique<parser>()) {}
metrics_account::~metrics_account() = default;

bool metrics_account::is_stored(std::string_view name) {
  const auto has_prefix = [name](std::string_view group) { return name.starts_with(group); };
  if (name == counted_signal) return false;
  if (std::any_of(stored_groups.begin(), stored_groups.end(), has_prefix)) return true;
  return std::find(stored_names.begin(), stored_names.end(), name.substr(name.rfind('.') + 1)) != stored_names.end();
}

void metrics_account::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
    if (!skips_line_ && partial_.size() + piece.size() > limits_.document_bytes) {
      ++malformed_lines_;
      skip_to_line_end();
    }
    if (!skips_line_) partial_ += piece;
    if (end == bytes.npos) return;
    if (!std::exchange(skips_line_, false)) take_line(partial_);
    partial_.clear();
  }
}

void metrics_account::skip_to_line_end() {
  partial_.clear();
  skips_line_ = true;
}

void metrics_account::begin_file() {
  partial_.clear();
  skips_line_ = false;
}

void metrics_account::take_line(std::string_view line) {
  if (line.empty()) return;
  if (take_document(line)) {
    ++documents_;
  } else {
    ++malformed_lines_;
  }
}

bool metrics_account::take_document(std::string_view line) {
  if (parser_->json.allocate(limits_.document_bytes, most_nesting) != simdjson::SUCCESS) return false;
  dom::element root;
  dom::object document;
  std::string canonical;
  const bool is_document = parser_->json.parse(line.data(), line.size()).get(root) == simdjson::SUCCESS &&
                           root.get(document) == simdjson::SUCCESS && append_canonical(canonical, root);
  if (!is_document) return false;
  std::string name;
  for_each_number(document, name, [this](std::string_view full_name, std::uint64_t value) { add(full_name, value); });
  last_document_ = std::move(canonical);
  return true;
}

void metrics_account::add(std::string_view name, std::uint64_t value) {
  auto place = values_.find(name);
  if (place == values_.end()) {
    // A zero says nothing that its absence does not.
    if (value == 0) return;
    if (values_.size() >= limits_.values || name.size() > limits_.name_bytes || !is_plain(name)) {
      ++values_left_out_;
      return;
    }
    place = values_.emplace(name, 0).first;
  }
  if (is_stored(name)) {
    place->second = value;
  } else {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    place->second = place->second > most - value ? most : place->second + value;
  }
}

}  // namespace cellos
