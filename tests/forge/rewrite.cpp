#include "tests/forge/rewrite.hpp"

namespace cellos::forge {

std::string_view to_string(expectation what) {
  switch (what) {
    case expectation::harmless: return "harmless";
    case expectation::earlier_state: return "earlier state";
    case expectation::respelled_earlier_state: return "earlier state in another spelling";
    case expectation::open: return "open";
    case expectation::tampering: return "tampering";
  }
  return "tampering";
}

const std::vector<rewrite>& every_rewrite() {
  static const std::vector<rewrite> all = [] {
    std::vector<rewrite> collected;
    for (const auto* family : {&cutting_rewrites(), &forging_rewrites(), &listing_rewrites(), &directory_rewrites(),
                               &journal_rewrites(), &harmless_rewrites()}) {
      collected.insert(collected.end(), family->begin(), family->end());
    }
    return collected;
  }();
  return all;
}

}  // namespace cellos::forge
