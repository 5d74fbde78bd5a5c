#include "runtime/forwarding/delivery_lag.hpp"

#include <algorithm>
#include <cmath>

#include "messages/event_line.hpp"
#include "messages/timestamp.hpp"

namespace cellos {

namespace {

/// Some eighty lines; chosen here.
constexpr std::size_t looked_at = std::size_t{64} << 10;

std::chrono::nanoseconds age_of(std::string_view line, wall_time now) {
  const auto dated = parse_timestamp(attribute_in(line, "time"));
  return dated && *dated < now ? now - *dated : std::chrono::nanoseconds{0};
}

}  // namespace

forwarding_lag lag_of(committed_log& log, const delivery_progress& progress, wall_time now) {
  forwarding_lag lag;
  const auto committed = log.committed();
  if (progress.delivered >= committed) return lag;
  const auto from = std::max(progress.delivered, log.first_kept());
  lag.bytes = log.bytes_between(from, committed);
  const auto oldest = log.read(from, looked_at);
  if (lag.bytes == 0 || oldest.result != committed_log::outcome::lines) return lag;
  const line_batch& batch = oldest.batch;
  lag.age = age_of(batch.text.substr(0, batch.text.find('\n')), now);
  if (batch.end() >= committed) {
    lag.lines = batch.line_count;
    return lag;
  }
  const auto unsent = log.bytes_between(std::max(from, progress.sent), committed);
  const double lines_a_byte = static_cast<double>(batch.line_count) / static_cast<double>(batch.text.size());
  const auto behind = std::llround(static_cast<double>(unsent) * lines_a_byte);
  lag.lines = progress.lines_in_flight + static_cast<std::uint64_t>(behind);
  return lag;
}

}  // namespace cellos
