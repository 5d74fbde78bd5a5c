#pragma once

#include <sys/types.h>

#include <array>
#include <compare>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "runtime/transport/tls_context.hpp"
#include "runtime/transport/transport_settings.hpp"

namespace cellos {

/// The context that new connections begin with; exchanged while others go on with theirs. Thread-safe.
class current_tls_context {
 public:
  using opened = std::variant<std::unique_ptr<current_tls_context>, std::string>;

  /// As tls_context::load(); for plain connections nothing is read.
  static opened open(const tls_settings& settings, transport_side side);

  /// Null for plain connections.
  std::shared_ptr<const tls_context> get() const;

  /// If something is wrong with these files, the context stays, and that is said.
  std::optional<std::string> reload(const tls_settings& settings);
  /// The same with the files it has, if one of them is another than when they were last looked at: what is wrong with
  /// one is said once.
  std::optional<std::string> reload_if_changed();

 private:
  struct file_version {
    dev_t device = 0;
    ino_t inode = 0;
    std::int64_t bytes = -1;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    auto operator<=>(const file_version&) const = default;
  };
  using file_versions = std::array<file_version, 3>;

  current_tls_context(const tls_settings& settings, transport_side side) : side_(side), settings_(settings) {}
  static file_version version_of(const std::filesystem::path& path);
  static file_versions versions_of(const tls_settings& settings);
  /// Called with the lock held.
  std::optional<std::string> load(const tls_settings& settings);

  const transport_side side_;
  mutable std::mutex mutex_;
  tls_settings settings_;
  /// Of when they were last read, well or badly.
  file_versions versions_{};
  std::shared_ptr<const tls_context> current_;
};

}  // namespace cellos
