#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cellos::cli {

/// Columns as wide as their widest value, two spaces apart; numbers stand to the right.
class text_table {
 public:
  struct column {
    std::string_view heading;
    bool is_number = false;
  };

  explicit text_table(std::vector<column> columns);

  /// One value a column.
  void add(std::vector<std::string> values) { rows_.push_back(std::move(values)); }

  /// Heading first; no line ends with spaces.
  std::vector<std::string> lines() const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace cellos::cli
