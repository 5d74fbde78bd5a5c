#include "runtime/configuration/validation.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "runtime/configuration/cell_rules.hpp"
#include "runtime/configuration/configuration_error.hpp"
#include "runtime/configuration/readers.hpp"

namespace cellos::settings {

namespace {

/// The first key that claims each name, and who came later.
class claims {
 public:
  /// The key that has `name` already; null the first time.
  const std::string* claim(std::string name, const std::string& key) {
    auto [entry, added] = owners_.emplace(std::move(name), key);
    return added ? nullptr : &entry->second;
  }

 private:
  std::map<std::string, std::string> owners_;
};

std::uint32_t line_of(const places& written, const std::string& key) {
  auto found = written.find(key);
  return found == written.end() ? 1 : found->second.line;
}

void check_ids(const configuration& config, const places& written, std::vector<contradiction>& found) {
  claims ids;
  for (std::size_t i = 0; i < config.cells.size(); ++i) {
    const auto& id = config.cells[i].cell_id;
    auto key = cell_key(i, "id");
    // Refused or missing, and reported as that.
    if (!written.contains(key)) continue;
    const auto* owner = ids.claim(id, key);
    if (!owner) continue;
    found.push_back({key, fmt::format("{} is {} (line {}) already", in_quotes(id), *owner, line_of(written, *owner)),
                     "give this cell an id that no other has, or remove one of the two [[cell]] tables"});
  }
}

void check_sockets(const configuration& config, const places& written, std::vector<contradiction>& found) {
  claims sockets;
  if (config.control.socket) sockets.claim(config.control.socket->lexically_normal(), "control.socket");
  for (std::size_t i = 0; i < config.cells.size(); ++i) {
    auto key = cell_key(i, "vsock_uds_base");
    if (!written.contains(key)) continue;
    std::filesystem::path socket{config.cells[i].socket_path()};
    auto path = socket.lexically_normal().string();
    const auto* owner = sockets.claim(path, key);
    if (!owner) continue;
    found.push_back({key,
                     fmt::format("line {} makes the socket {}, which {} (line {}) has already", line_of(written, key),
                                 in_quotes(path), *owner, line_of(written, *owner)),
                     "write this cell's own vsock_uds_base: the uds_path that its Firecracker was given"});
  }
}

/// `prefix` is what the keys' names begin with.
void check_key_source(const key_source& key, const std::string& prefix, const std::string& at,
                      std::vector<contradiction>& found) {
  if (key.kid.empty()) {
    found.push_back({at, fmt::format("needs {}kid, the name under which a verifier finds the public key", prefix),
                     fmt::format("write {}kid = \"host-a-2026\" under [signing]", prefix)});
  }
  if (key.file.has_value() == key.credential.has_value()) {
    found.push_back(
        {at, fmt::format("needs {0}key_file or {0}credential, and not both", prefix),
         fmt::format("write {0}key_file = \"/etc/cellos-telemetry/{0}signing.key\" under [signing], or {0}credential "
                     "for one that systemd hands over",
                     prefix)});
  }
}

void check_signing(const signing_settings& signing, const places& written, std::vector<contradiction>& found) {
  if (!written.contains("signing.alg") || signing.alg == signing_off) return;
  if (signing.alg == digests_only) {
    if (signing.key == key_source{}) return;
    found.push_back({"signing.alg", "\"digest\" uses no key, and a key is named",
                     "remove kid, key_file and credential, or name the key's algorithm"});
    return;
  }
  check_key_source(signing.key, "", "signing.alg", found);
  if (signing.former == key_source{}) return;
  check_key_source(signing.former, "former_", "signing.alg", found);
  if (signing.former.kid == signing.key.kid && !signing.key.kid.empty()) {
    found.push_back({"signing.former_kid", "is the present key's kid", "give each key a kid of its own"});
  }
}

void check_segments(const evidence_configuration& evidence, const places& written, std::vector<contradiction>& found) {
  // The largest segment fits the default limit: there is only something to compare when both are written.
  if (!written.contains("evidence.max_bytes") || !written.contains("evidence.segment_bytes")) return;
  if (evidence.segment_bytes <= evidence.max_bytes) return;
  found.push_back({"evidence.segment_bytes", "is more than evidence.max_bytes, so that one segment is over the limit",
                   "remove segment_bytes for a quarter of max_bytes, or raise max_bytes"});
}

/// `at`: the key that needs TLS.
void check_tls(const tls_settings& tls, const std::string& at, std::vector<contradiction>& found) {
  if (tls.plain_loopback) return;
  if (!tls.certificate.empty() && !tls.key.empty() && !tls.authority.empty()) return;
  found.push_back({at, "needs certificate_file, key_file and ca_file under [tls]",
                   "write them; config/certificates/ says how certificates are made"});
}

/// `table`: where the keys are.
void check_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key,
                       const std::string& table, const char* at, std::vector<contradiction>& found) {
  if (certificate.empty() == key.empty()) return;
  found.push_back({table + '.' + at, "needs both certificate_file and key_file, or neither",
                   "write the other one under [" + table + "]"});
}

void check_fsync(const configuration& config, const std::string& at, std::vector<contradiction>& found) {
  if (config.evidence.fsync != fsync_policy::never) return;
  const auto table = at.substr(0, at.rfind('.'));
  found.push_back({at, "cannot be with evidence.fsync = \"never\": only what survives a loss of power is forwarded",
                   "write fsync = \"100ms\" under [evidence], or remove [" + table + "]"});
}

void check_stream(const configuration& config, std::vector<contradiction>& found) {
  const jetstream_settings& stream = config.forward.jetstream;
  check_fsync(config, "forward.jetstream.servers", found);
  check_certificate(stream.certificate_file, stream.key_file, "forward.jetstream", "servers", found);
  if (stream.user.empty() != stream.password_file.empty()) {
    found.push_back({"forward.jetstream.servers", "needs both user and password_file, or neither",
                     "write the other one under [forward.jetstream]"});
  }
  const bool is_plain =
      std::ranges::none_of(stream.servers, [](const auto& each) { return each.starts_with("tls://"); });
  if (is_plain && !(stream.ca_file.empty() && stream.certificate_file.empty())) {
    found.push_back({"forward.jetstream.servers", "has no server that TLS is used with, and a certificate is named",
                     "write tls:// for nats://, or remove the certificate"});
  }
}

void check_receivers(const configuration& config, const places& written, std::vector<contradiction>& found) {
  if (written.contains("forward.jetstream.servers")) check_stream(config, found);
  if (!written.contains("forward.http.url")) return;
  check_fsync(config, "forward.http.url", found);
  check_certificate(config.forward.http.certificate_file, config.forward.http.key_file, "forward.http", "url", found);
}

void check_nodes(const configuration& config, const places& written, std::vector<contradiction>& found) {
  if (written.contains("forward.collectors")) {
    check_tls(config.tls, "forward.collectors", found);
    check_fsync(config, "forward.collectors", found);
  }
  if (!written.contains("collector.listen")) return;
  check_tls(config.tls, "collector.listen", found);
  if (written.contains("collector.dir") &&
      config.collector.dir.lexically_normal() == config.evidence.dir.lexically_normal()) {
    found.push_back({"collector.dir", "is evidence.dir already", "give the hosts' logs a directory of their own"});
  }
  if (config.collector.require_signed && config.collector.keys_file.empty()) {
    found.push_back({"collector.require_signed", "needs keys_file", "name a key list, or remove require_signed"});
  }
}

void check_probes(const configuration& config, const places& written, std::vector<contradiction>& found) {
  const probe_settings& probes = config.probes;
  if (probes.timeout >= probes.period) {
    const char* key = written.contains("probes.timeout") ? "probes.timeout" : "probes.period";
    found.push_back(
        {key, "leaves a reading as long as the time to the next", "write a timeout that is shorter than period"});
  }
  if (probes.witness_window < 3 * probes.period) {
    const char* key = written.contains("probes.witness_window") ? "probes.witness_window" : "probes.period";
    found.push_back(
        {key, "is too long for what it is compared in", "write a witness_window of three periods at least"});
  }
  for (std::size_t i = 0; i < config.cells.size(); ++i) {
    for (cell_complaint& each : complaints_about(config.cells[i])) {
      found.push_back({cell_key(i, each.key), std::move(each.problem), std::move(each.remedy)});
    }
  }
}

}  // namespace

std::string cell_key(std::size_t index, std::string_view name) { return fmt::format("cell[{}].{}", index, name); }

std::vector<contradiction> contradictions_of(const configuration& config, const places& written) {
  std::vector<contradiction> found;
  check_segments(config.evidence, written, found);
  check_signing(config.signing, written, found);
  check_nodes(config, written, found);
  check_receivers(config, written, found);
  check_ids(config, written, found);
  check_sockets(config, written, found);
  check_probes(config, written, found);
  return found;
}

}  // namespace cellos::settings
