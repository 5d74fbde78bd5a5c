#include "runtime/evidence/evidence_errc.hpp"

#include <string>

namespace cellos {

namespace {

class evidence_error_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "evidence"; }

  std::string message(int code) const override {
    if (code == static_cast<int>(evidence_errc::limit_reached)) {
      return "evidence limit reached: [evidence] max_bytes is used up and no older segment may be removed";
    }
    if (code == static_cast<int>(evidence_errc::directory_displaced)) {
      return "the evidence directory was moved, removed or replaced: put it back in its place, or restart the daemon";
    }
    return "unknown evidence error";
  }

  std::error_condition default_error_condition(int code) const noexcept override {
    if (code == static_cast<int>(evidence_errc::limit_reached)) {
      return std::make_error_condition(std::errc::no_space_on_device);
    }
    if (code == static_cast<int>(evidence_errc::directory_displaced)) {
      return std::make_error_condition(std::errc::no_such_file_or_directory);
    }
    return {code, *this};
  }
};

}  // namespace

const std::error_category& evidence_category() {
  static const evidence_error_category category;
  return category;
}

}  // namespace cellos
