#include "actors/events.hpp"

namespace cellos {

namespace {

using level = spdlog::level::level_enum;

}  // namespace

void operator_events::receiver_reached(std::string_view receiver) {
  emit(level::info, "receiver_reached", {{"receiver", std::string{receiver}}});
}

void operator_events::receiver_lost(std::string_view receiver, std::string_view cause) {
  ++counts_.receivers_lost;
  emit(level::warn, "receiver_lost", {{"receiver", std::string{receiver}}, {"cause", std::string{cause}}});
}

void operator_events::lines_refused(std::string_view receiver, std::string_view cause) {
  ++counts_.lines_refused;
  emit(level::err, "lines_refused", {{"receiver", std::string{receiver}}, {"cause", std::string{cause}}});
}

void operator_events::lines_removed_early(std::string_view receiver, std::string_view from, std::string_view to) {
  ++counts_.lines_removed_early;
  emit(level::warn, "lines_removed_early",
       {{"receiver", std::string{receiver}}, {"from", std::string{from}}, {"to", std::string{to}}});
}

void operator_events::delivery_stopped(std::string_view receiver, std::string_view position, std::string_view cause) {
  ++counts_.deliveries_stopped;
  emit(level::err, "delivery_stopped",
       {{"receiver", std::string{receiver}}, {"at", std::string{position}}, {"cause", std::string{cause}}});
}

void operator_events::line_skipped(std::string_view receiver, std::string_view position, std::string_view id) {
  ++counts_.lines_skipped;
  emit(level::warn, "line_skipped",
       {{"receiver", std::string{receiver}}, {"at", std::string{position}}, {"id", std::string{id}}});
}

}  // namespace cellos
