#include "runtime/cli/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace cellos::cli {

text_table::text_table(std::vector<column> columns) : columns_(std::move(columns)) {
  std::vector<std::string> headings;
  for (const column& each : columns_) headings.emplace_back(each.heading);
  rows_.push_back(std::move(headings));
}

std::vector<std::string> text_table::lines() const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::vector<std::string> out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i == 0 ? "" : "  ";
      line +=
          columns_[i].is_number ? fmt::format("{:>{}}", row[i], widths[i]) : fmt::format("{:<{}}", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace cellos::cli
