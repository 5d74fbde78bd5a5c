#include "runtime/cross_witness/recomputed_run.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <string_view>
#include <tuple>

#include "messages/cloud_event.hpp"
#include "messages/event_types.hpp"
#include "messages/timestamp.hpp"
#include "runtime/cross_witness/line_witness.hpp"

namespace cellos {

namespace {

namespace dom = simdjson::dom;

std::string_view text(dom::object data, std::string_view key) {
  std::string_view value;
  return data[key].get(value) == simdjson::SUCCESS ? value : std::string_view{};
}

std::optional<std::uint64_t> count(dom::object data, std::string_view key) {
  const std::string_view digits = text(data, key);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<std::chrono::nanoseconds> duration(dom::object data, std::string_view key) {
  const auto value = count(data, key);
  if (!value || *value == 0 || *value > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return std::chrono::nanoseconds{static_cast<std::int64_t>(*value)};
}

/// What was configured where it began; what no daemon writes is not there.
witness_terms terms_in(dom::object data) {
  dom::object terms;
  if (data["witnessTerms"].get(terms) != simdjson::SUCCESS) return {};
  const auto at_least_one = [&](std::string_view key) {
    const auto value = count(terms, key);
    return value && *value > 0 ? value : std::nullopt;
  };
  return {at_least_one("attemptsThreshold"), at_least_one("packetsThreshold"), count(terms, "attemptsBackground"),
          count(terms, "packetsBackground"), at_least_one("declarationsThreshold")};
}

/// The one among `names` that is spelled so; empty if none is.
template <class Names>
std::string_view known(const Names& names, std::string_view spelled) {
  const auto found = std::find(names.begin(), names.end(), spelled);
  return found == names.end() ? std::string_view{} : *found;
}

constexpr std::array confidence_names{to_string(confidence::soft), to_string(confidence::firm)};

bool is_before(const recorded_contradiction& a, const recorded_contradiction& b) {
  const auto all_of = [](const recorded_contradiction& each) {
    return std::tie(each.window, each.kind, each.from, each.to, each.first_reading, each.last_reading, each.counted,
                    each.declared, each.background, each.threshold, each.confidence, each.window_ns,
                    each.of_declaration);
  };
  return all_of(a) < all_of(b);
}

std::vector<recorded_contradiction> without(std::vector<recorded_contradiction> all,
                                            std::vector<recorded_contradiction> others) {
  std::sort(all.begin(), all.end(), is_before);
  std::sort(others.begin(), others.end(), is_before);
  std::vector<recorded_contradiction> left;
  std::set_difference(all.begin(), all.end(), others.begin(), others.end(), std::back_inserter(left), is_before);
  return left;
}

}  // namespace

struct recomputed_run::scratch {
  dom::parser parser;

  std::optional<dom::object> data_of(const event_line& line) {
    dom::object data;
    if (parser.parse(line.data.data(), line.data.size()).get(data) != simdjson::SUCCESS) return std::nullopt;
    return data;
  }
};

recomputed_run::recomputed_run() = default;
recomputed_run::~recomputed_run() = default;
recomputed_run::recomputed_run(recomputed_run&&) noexcept = default;
recomputed_run& recomputed_run::operator=(recomputed_run&&) noexcept = default;

/// The first line that is here begins; one behind a gap does not go on.
bool recomputed_run::is_next(const event_line& line) {
  const auto sequence = parse_sequence(line.sequence);
  if (!sequence || *sequence <= last_sequence_) return false;
  if (last_sequence_ != 0 && *sequence != last_sequence_ + 1) {
    lines_missing_ += *sequence - last_sequence_ - 1;
    witness_.reset();
  }
  last_sequence_ = *sequence;
  return true;
}

void recomputed_run::take(const event_line& line) {
  if (ended_ || !is_next(line)) return;
  const auto name = event_name_in(line.type);
  const auto type = name ? find_event_type(*name) : std::nullopt;
  if (!type) return;
  if (!scratch_) scratch_ = std::make_unique<scratch>();
  compare(line, *type);
  if (*type == event_type::run_ended) end();
}

void recomputed_run::compare(const event_line& line, event_type type) {
  if (type == event_type::run_started || type == event_type::run_resumed) begin(line);
  if (type == event_type::run_started) began_ = true;
  if (type == event_type::declaration_unwitnessed || type == event_type::undeclared_activity) record(line);
  if (type == event_type::telemetry_dropped && is_of_crash(line)) witness_.reset();
  if (!witness_) return;
  const auto read = reader_->read(line);
  // The daemon's own has nothing to compare behind the end.
  if (!read || std::holds_alternative<witnessed::end>(read->what)) return;
  const witness_results results = witness_->take(*read);
  uncompared_ += results.uncompared.size();
  for (const found_contradiction& each : results.contradictions) {
    found_.push_back(as_recorded(each, settings_.window));
  }
}

/// Nothing more is compared: what that needs is given back.
void recomputed_run::end() {
  ended_ = true;
  witness_.reset();
  reader_.reset();
  scratch_.reset();
}

/// The daemon that compared was gone by then.
bool recomputed_run::is_of_crash(const event_line& line) {
  const auto data = scratch_->data_of(line);
  return data && text(*data, "reason") == to_string(loss_reason::daemon_restart);
}

/// A daemon that goes on with a run has learnt nothing yet.
void recomputed_run::begin(const event_line& line) {
  witness_.reset();
  reader_ = std::make_unique<witness_line_reader>();
  const auto data = scratch_->data_of(line);
  const auto window = data ? duration(*data, "witnessWindowNs") : std::nullopt;
  // No daemon writes a longer one.
  constexpr std::chrono::hours longest{24};
  if (!window || *window > longest) return;
  settings_ = {};
  settings_.window = *window;
  const auto silence_window = duration(*data, "silenceWindowNs");
  if (silence_window && *silence_window <= longest) settings_.silence_window = *silence_window;
  apply(terms_in(*data), settings_);
  witness_.emplace(settings_);
  compared_ = true;
}

void recomputed_run::record(const event_line& line) {
  const auto data = scratch_->data_of(line);
  if (!data) return;
  recorded_contradiction out;
  out.of_declaration = event_name_in(line.type) == name_of(event_type::declaration_unwitnessed);
  out.kind = known(contradiction_names, text(*data, "kind"));
  out.confidence = known(confidence_names, text(*data, "confidence"));
  out.window = static_cast<std::int64_t>(count(*data, "window").value_or(0));
  out.window_ns = count(*data, "windowNs").value_or(0);
  out.from = parse_timestamp(text(*data, "from")).value_or(wall_time{});
  out.to = parse_timestamp(text(*data, "to")).value_or(wall_time{});
  out.first_reading = count(*data, "firstReading").value_or(0);
  out.last_reading = count(*data, "lastReading").value_or(0);
  out.counted = count(*data, "counted").value_or(0);
  out.declared = count(*data, "declared").value_or(0);
  out.background = count(*data, "background").value_or(0);
  out.threshold = count(*data, "threshold").value_or(0);
  recorded_.push_back(out);
}

std::vector<recorded_contradiction> recomputed_run::unrecorded() const { return without(found_, recorded_); }
std::vector<recorded_contradiction> recomputed_run::unfounded() const { return without(recorded_, found_); }

}  // namespace cellos
