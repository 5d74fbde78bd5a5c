#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// What a fleet's nodes are configured with.
namespace cellos::fleet {

/// `tls`: the node's [tls] table.
inline std::string collector_configuration(const std::string& name, const std::filesystem::path& dir,
                                           const std::string& address, const std::string& tls) {
  return "host_id = '" + name + "'\n[evidence]\ndir = '" + (dir / "evidence").string() + "'\n" + tls +
         "[collector]\nlisten = '" + address + "'\ndir = '" + (dir / "hosts").string() + "'\n";
}

inline std::string cell_name(std::size_t index) { return "cell-" + std::to_string(index + 1); }

/// Where a guest of this cell connects to.
inline std::string socket_of(const std::filesystem::path& host_dir, std::size_t cell) {
  return (host_dir / cell_name(cell)).string() + "_9001";
}

/// Segments are small, so that kills meet their changes too; nothing is ever removed.
inline std::string host_configuration(const std::string& name, const std::filesystem::path& dir,
                                      const std::vector<std::string>& collectors, std::size_t cells,
                                      const std::string& tls) {
  std::string places;
  for (const auto& each : collectors) places += (places.empty() ? "'" : ", '") + each + "'";
  std::string text =
      "host_id = '" + name + "'\n[evidence]\ndir = '" + (dir / "evidence").string() +
      "'\nfsync = '10ms'\nsegment_bytes = '2MiB'\nmax_bytes = '1TiB'\n[signing]\nalg = 'ed25519'\nkid = '" + name +
      "'\nkey_file = '" + (dir / "signing.key").string() + "'\nmode = 'checkpoint'\n" + tls +
      "[forward]\ncollectors = [" + places + "]\n";
  for (std::size_t i = 0; i < cells; ++i) {
    text += "[[cell]]\nid = '" + cell_name(i) + "'\nrun_id = 'run-1'\nvsock_uds_base = '" +
            (dir / cell_name(i)).string() + "'\nspec_signature_hash = 'sha256:11aa'\nkeepalive_window = '1h'\n";
  }
  return text;
}

}  // namespace cellos::fleet
