#define CAF_SUITE frame_trace
#include "tests/simulation/frame_trace.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/simulation.hpp"

using namespace cellos::simulation;

namespace {

constexpr std::uint64_t first_frame = 1;
constexpr std::uint64_t seeds_here = 30;
/// Some ends are rare; few seeds are needed as a rule.
constexpr std::uint64_t seeds_until_all_were_seen = 500;

/// Where `who` is first given or does something that begins with `what`; the number of steps if never.
std::size_t place_of(const std::vector<frame_trace::step>& steps, std::string_view who, std::string_view what) {
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const frame_trace::step& each) {
    return each.who.starts_with(who) && each.what.starts_with(what);
  });
  return static_cast<std::size_t>(found - steps.begin());
}

}  // namespace

CAF_TEST(a seed runs the same whether a frame is followed or not ) {
  for (std::uint64_t seed = 1; seed <= seeds_here; ++seed) {
    frame_trace trace{first_frame};
    CAF_CHECK_EQUAL(simulate(seed, planted_bug::none, &trace).digest, simulate(seed).digest);
  }
}

CAF_TEST(a frame that is appended is seen with everyone on its way in their order) {
  std::size_t appended = 0;
  for (std::uint64_t seed = 1; seed <= seeds_here; ++seed) {
    frame_trace trace{first_frame};
    simulate(seed, planted_bug::none, &trace);
    if (trace.conclusion() != "appended once, and acknowledged") continue;
    ++appended;
    const auto& steps = trace.steps();
    const std::vector<std::size_t> way{place_of(steps, "guest of cell-", "writes the frame"),
                                       place_of(steps, "socket service", "reads the rest of it"),
                                       place_of(steps, "DECODER cell-", "chunk "),
                                       place_of(steps, "SINK", "batch of chunk "),
                                       place_of(steps, "evidence log", "line "),
                                       place_of(steps, "socket service", "forgets chunk ")};
    CAF_MESSAGE("seed " << seed);
    CAF_CHECK(std::is_sorted(way.begin(), way.end()));
    CAF_CHECK_EQUAL(way.back() + 1, steps.size());
  }
  CAF_CHECK_GREATER(appended, seeds_here / 2);
}

CAF_TEST(every other end of a frame is reported) {
  bool set_aside = false;
  bool lost = false;
  bool cut_off = false;
  bool killed_on_its_way = false;
  for (std::uint64_t seed = 1; seed <= seeds_until_all_were_seen; ++seed) {
    for (const std::uint64_t frame : {17, 70}) {
      frame_trace trace{frame};
      simulate(seed, planted_bug::none, &trace);
      set_aside = set_aside || trace.conclusion().starts_with("set aside");
      lost = lost || trace.conclusion().starts_with("lost with the daemon");
      cut_off = cut_off || trace.conclusion().starts_with("appended, and lost");
      killed_on_its_way = killed_on_its_way || place_of(trace.steps(), "the world", "kill ") < trace.steps().size();
      if (set_aside && lost && cut_off && killed_on_its_way) return;
    }
  }
  CAF_CHECK(set_aside);
  CAF_CHECK(lost);
  CAF_CHECK(cut_off);
  CAF_CHECK(killed_on_its_way);
}

CAF_TEST(a frame that nobody writes is said to be none) {
  frame_trace trace{999};
  simulate(1, planted_bug::none, &trace);
  CAF_CHECK(trace.steps().empty());
  CAF_CHECK(trace.conclusion().starts_with("no guest writes frame 999"));
}

CAF_TEST(steps are shown one a line under a heading) {
  const auto lines = to_lines({{12, std::chrono::milliseconds{1050}, "SINK", "turn"}});
  CAF_REQUIRE_EQUAL(lines.size(), 2u);
  CAF_CHECK_EQUAL(lines[1], "    12   1.050 s  SINK                    turn");
}
