#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/signing/key_list.hpp"
#include "runtime/signing/signing_key.hpp"
#include "runtime/verification/report.hpp"
#include "tests/forge/daemon_life.hpp"
#include "tests/forge/evidence_image.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::forge {

inline constexpr const char* attacked_host = "host-a";
inline constexpr const char* other_host = "host-b";

struct cell_plan {
  std::string id;
  /// Its run is named after it.
  std::uint64_t run = 1;
  /// Never says a word, and is declared silent at once.
  bool silent = false;

  std::string run_id() const { return "run-" + std::to_string(run); }
};

/// What a daemon's configuration says.
struct host_plan {
  std::string host_id = attacked_host;
  signing_algorithm algorithm = signing_algorithm::ed25519;
  bool sign_every_event = true;
  std::uint64_t checkpoint_events = 4;
  std::uint64_t key = 1;
  /// 0: none is named.
  std::uint64_t former_key = 0;
  std::string fsync = "never";
  std::uint64_t segment_bytes = 64u << 20;
  std::uint64_t max_bytes = std::uint64_t{10} << 30;
  std::vector<cell_plan> cells;

  std::string key_id(std::uint64_t number) const;
};

/// A directory in memory with a daemon's configuration, keys, sockets and evidence; goes with the object. What lies
/// outside `evidence_dir()` is the host's, and out of an attacker's reach.
class forge_home {
 public:
  std::filesystem::path evidence_dir() const { return root_ / "ev"; }
  std::filesystem::path configuration() const { return root_ / "d.toml"; }
  std::filesystem::path operator_log() const { return root_ / "operator.log"; }
  std::string socket_base(const cell_plan& cell) const { return root_ / cell.id; }

  void configure(const host_plan& plan);
  evidence_image image() const { return evidence_image::read(evidence_dir()); }
  bool log_contains(std::string_view part) const;
  std::size_t log_count(std::string_view part, std::string_view other_part) const;

  /// Declarations of a guest that connects and leaves again; each is in the log when this returns true.
  bool declare(const cell_plan& cell, std::uint64_t frames);

  /// As `verify --finished --host HOST` with every public key, each bound to its host.
  verification::verification_report verify(bool finished, const std::string& host_id,
                                           const verification::earlier_ends& earlier = {}) const;

 private:
  void make_key(const host_plan& plan, std::uint64_t number);

  test::memory_directory root_;
  key_list keys_;
  std::uint64_t next_declaration_ = 1;
};

}  // namespace cellos::forge
