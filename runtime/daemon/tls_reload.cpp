#include "runtime/daemon/tls_reload.hpp"

#include <variant>

#include "runtime/os/clocks.hpp"
#include "runtime/transport/tls_context.hpp"

namespace cellos {

namespace {

bool counts_at_once(const daemon_process& process, const tls_settings& read) {
  return !read.plain_loopback && !process.settings().tls.plain_loopback;
}

}  // namespace

std::vector<configuration_error> check_certificates(const daemon_process& process, const tls_settings& read,
                                                    transport_side side) {
  if (!counts_at_once(process, read)) return {};
  const auto loaded = tls_context::load(read, side, system_wall_time());
  const auto* refusal = std::get_if<std::string>(&loaded);
  if (refusal == nullptr) return {};
  return {{process.file().native(), 1, 1, "tls", *refusal, "mend the file; nothing was changed"}};
}

void take_over_certificates(daemon_process& process, const tls_settings& read,
                            const std::function<std::optional<std::string>(const tls_settings&)>& reload) {
  if (!counts_at_once(process, read)) return;
  if (const auto refused = reload(read)) process.events().reload_refused({*refused});
}

}  // namespace cellos
