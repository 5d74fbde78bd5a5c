#include "runtime/transport/current_tls_context.hpp"

#include <sys/stat.h>

#include <chrono>
#include <utility>

namespace cellos {

current_tls_context::opened current_tls_context::open(const tls_settings& settings, transport_side side) {
  std::unique_ptr<current_tls_context> made{new current_tls_context{settings, side}};
  if (settings.plain_loopback) return made;
  if (auto why = made->load(settings)) return *std::move(why);
  return made;
}

std::shared_ptr<const tls_context> current_tls_context::get() const {
  const std::lock_guard lock{mutex_};
  return current_;
}

std::optional<std::string> current_tls_context::reload(const tls_settings& settings) {
  const std::lock_guard lock{mutex_};
  if (settings.plain_loopback != settings_.plain_loopback) return "from plain TCP to TLS and back takes a restart";
  if (settings.plain_loopback) return std::nullopt;
  return load(settings);
}

std::optional<std::string> current_tls_context::reload_if_changed() {
  const std::lock_guard lock{mutex_};
  if (settings_.plain_loopback || versions_of(settings_) == versions_) return std::nullopt;
  return load(settings_);
}

current_tls_context::file_version current_tls_context::version_of(const std::filesystem::path& path) {
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0) return {};
  return {.device = there.st_dev,
          .inode = there.st_ino,
          .bytes = there.st_size,
          .seconds = there.st_mtim.tv_sec,
          .nanoseconds = there.st_mtim.tv_nsec};
}

current_tls_context::file_versions current_tls_context::versions_of(const tls_settings& settings) {
  return {version_of(settings.certificate), version_of(settings.key), version_of(settings.authority)};
}

std::optional<std::string> current_tls_context::load(const tls_settings& settings) {
  // Before they are read: what changes meanwhile is read again.
  const auto versions = versions_of(settings);
  const auto now = std::chrono::time_point_cast<wall_time::duration>(std::chrono::system_clock::now());
  auto loaded = tls_context::load(settings, side_, now);
  if (auto* why = std::get_if<std::string>(&loaded)) {
    if (versions_of(settings_) == versions) versions_ = versions;
    return std::move(*why);
  }
  current_ = std::get<0>(std::move(loaded));
  settings_ = settings;
  versions_ = versions;
  return std::nullopt;
}

}  // namespace cellos
