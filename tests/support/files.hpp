#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

/// Files of tests, read and written whole. A test whose file could not be written would prove nothing: that throws.
namespace cellos::test {

inline void write_file(const std::filesystem::path& path, std::string_view content,
                       std::ios::openmode mode = std::ios::trunc) {
  std::ofstream file{path, std::ios::binary | mode};
  file << content;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline void add_to_file(const std::filesystem::path& path, std::string_view content) {
  write_file(path, content, std::ios::app);
}

/// Empty where there is none.
inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace cellos::test
