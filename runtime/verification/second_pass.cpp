#include "runtime/verification/second_pass.hpp"

#include <algorithm>

namespace cellos::verification {

std::optional<digest> second_pass::material(std::uint32_t log, std::string_view chain, std::uint64_t sequence) {
  auto& materials = about(log, chain).materials;
  const auto [known, added] = materials.try_emplace(sequence);
  asked_ |= added;
  return known->second;
}

const chain_range* second_pass::rest(std::uint32_t log, std::string_view chain, std::uint64_t after,
                                     std::uint64_t last) {
  auto& rests = about(log, chain).rests;
  const auto same = [&](const rest_question& each) { return each.after == after && each.last == last; };
  const auto known = std::find_if(rests.begin(), rests.end(), same);
  if (known == rests.end()) {
    rests.push_back({after, last, {}});
    asked_ = true;
    return nullptr;
  }
  const auto& sections = known->track.sections();
  return sections.size() == 1 ? &sections.front() : nullptr;
}

bool second_pass::concerns(std::uint32_t log) const {
  const auto found = questions_.lower_bound({log, std::string{}});
  return found != questions_.end() && found->first.first == log;
}

void second_pass::take(std::uint32_t log, const line_result& line, line_place at) {
  const auto found = questions_.find({log, std::string{line.chain}});
  if (found == questions_.end()) return;
  questions& asked = found->second;
  if (const auto wanted = asked.materials.find(line.sequence); wanted != asked.materials.end()) {
    wanted->second = line.material;
  }
  // What is wrong with the lines was reported when they were read first.
  std::vector<line_fault> reported;
  for (rest_question& each : asked.rests) {
    if (line.sequence > each.after && line.sequence <= each.last) each.track.take(line, at, reported);
  }
}

}  // namespace cellos::verification
