#include "runtime/daemon/shown_transport.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace cellos {

namespace {

template <class Kind, std::size_t Kinds>
transport_status::by_reason by_reason(const std::array<std::uint64_t, Kinds>& counts) {
  transport_status::by_reason named;
  for (std::size_t i = 0; i < Kinds; ++i) named.emplace_back(to_string(static_cast<Kind>(i)), counts[i]);
  return named;
}

}  // namespace

transport_status transport_shown(std::string role, const transport_account& account) {
  transport_status shown;
  shown.role = std::move(role);
  shown.accepted = account.welcomed;
  shown.open = account.open;
  shown.handshakes_pending = account.pending;
  shown.refused = by_reason<connection_refusal>(account.refused);
  shown.closed = by_reason<connection_end>(account.ended);
  shown.violations = by_reason<basp_violation>(account.violated);
  return shown;
}

std::optional<certificate_status> certificate_shown(std::string role, std::string file,
                                                    std::optional<wall_time> expires) {
  if (!expires) return std::nullopt;
  return certificate_status{std::move(role), std::move(file), *expires};
}

}  // namespace cellos
