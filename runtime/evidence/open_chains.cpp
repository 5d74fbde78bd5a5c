#include "runtime/evidence/open_chains.hpp"

namespace cellos {

void open_chains::announce(std::span<const chain_head> heads) {
  const std::lock_guard lock{mutex_};
  for (const chain_head& head : heads) {
    if (!chains_.contains(head.position.chain)) enter(head);
  }
}

void open_chains::take(std::span<const chain_head> heads) {
  const std::lock_guard lock{mutex_};
  for (const chain_head& head : heads) enter(head);
  // Not before its last line is in the log is a run closed.
  for (const chain_head& head : heads) {
    if (head.run && head.run->ended) chains_.erase(head.position.chain);
    for (const run_listing& listing : head.listings) {
      if (listing.what == run_listing::kind::closed) chains_.erase(listing.chain);
    }
  }
}

void open_chains::enter(const chain_head& head) {
  const std::string& name = head.position.chain;
  if (!head.run && name != host_chain_) {
    chains_.erase(host_chain_);
    host_chain_ = name;
  }
  chains_.insert_or_assign(name, head);
}

std::optional<chain_head> open_chains::find(std::string_view chain) const {
  const std::lock_guard lock{mutex_};
  const auto found = chains_.find(std::string{chain});
  if (found == chains_.end()) return std::nullopt;
  return found->second;
}

}  // namespace cellos
