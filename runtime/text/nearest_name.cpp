#include "runtime/text/nearest_name.hpp"

#include <algorithm>
#include <vector>

namespace cellos {

namespace {

/// Longer names are nobody's typing mistake; bounds the work a hostile file can cause.
constexpr std::size_t longest_name = 64;

/// Edit distance with swaps of neighbours (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + changed});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest_name(std::string_view name, std::span<const std::string_view> candidates) {
  if (name.empty() || name.size() > longest_name) return std::nullopt;
  std::optional<std::string_view> nearest;
  std::size_t least = longest_name;
  for (auto candidate : candidates) {
    auto allowed = std::max<std::size_t>(1, std::max(name.size(), candidate.size()) / 3);
    auto edits = distance(name, candidate);
    if (edits > allowed || edits >= least) continue;
    nearest = candidate;
    least = edits;
  }
  return nearest;
}

}  // namespace cellos
