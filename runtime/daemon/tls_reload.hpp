#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/configuration/configuration_error.hpp"
#include "runtime/daemon/daemon_process.hpp"
#include "runtime/transport/certificate.hpp"
#include "runtime/transport/transport_settings.hpp"

namespace cellos {

/// Why a reload cannot go over to these certificates; changes nothing. From TLS to plain TCP and back takes a restart,
/// which the reload says elsewhere.
std::vector<configuration_error> check_certificates(const daemon_process& process, const tls_settings& read,
                                                    transport_side side);

/// Goes over to them, by `reload`. What has become of the files since they were checked is said.
void take_over_certificates(daemon_process& process, const tls_settings& read,
                            const std::function<std::optional<std::string>(const tls_settings&)>& reload);

}  // namespace cellos
