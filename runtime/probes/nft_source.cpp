#include "runtime/probes/nft_source.hpp"

#include <cstdint>
#include <optional>
#include <utility>

namespace cellos {

namespace {

/// Rules come and go; a namespace where three listings in a row meet a change is asked again in the next turn.
constexpr int most_attempts = 3;

probe_result<nft_ruleset> read_counters_of(listing_session& session, monotonic_time deadline) {
  std::uint32_t number = 0;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    nft_ruleset ruleset;
    bool is_complete = true;
    for (const auto what :
         {kernel_listing::nft_tables, kernel_listing::nft_named_counters, kernel_listing::nft_rules}) {
      nft_dump dump{++number, ruleset};
      const auto listed = session.ask(what, number, dump, deadline);
      if (!listed) return listed.error();
      is_complete = *listed;
      if (!is_complete) break;
    }
    if (is_complete) return ruleset;
  }
  return probe_error{probe_error_kind::io, "nftables: rules change while they are listed"};
}

}  // namespace

probe_result<nft_ruleset> read_nft_ruleset(const std::string& namespace_path, monotonic_time deadline,
                                           const privileged_reads_ptr& by) {
  std::optional<probe_result<nft_ruleset>> ruleset;
  if (auto error = by->in_namespace(
          namespace_path, [&](listing_session& session) { ruleset.emplace(read_counters_of(session, deadline)); })) {
    return *std::move(error);
  }
  return *std::move(ruleset);
}

}  // namespace cellos
