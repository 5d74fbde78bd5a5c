#include "runtime/verification/chain_identity.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace cellos::verification {

namespace {

/// Three ids of 128 bytes, an epoch, the slashes; and more.
constexpr std::size_t longest_chain = 512;

/// Ids of ours have nothing else in them; whoever made the log may have put terminal escapes there.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

}  // namespace

std::optional<chain_identity> identify_chain(std::string_view chain) {
  if (chain.size() > longest_chain || !is_plain(chain)) return std::nullopt;
  std::array<std::string_view, 4> parts;
  std::size_t count = 0;
  for (std::string_view rest = chain;; ++count) {
    if (count == parts.size()) return std::nullopt;
    const std::size_t slash = rest.find('/');
    parts[count] = rest.substr(0, slash);
    if (parts[count].empty()) return std::nullopt;
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  ++count;
  const std::string_view epoch = parts[count - 1];
  if (!std::all_of(epoch.begin(), epoch.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  if (count == 2) return chain_identity{parts[0], {}, {}, epoch};
  if (count == 4) return chain_identity{parts[0], parts[1], parts[2], epoch};
  return std::nullopt;
}

}  // namespace cellos::verification
