#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <system_error>

#include "runtime/forwarding/committed_log.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"

namespace cellos {

/// The evidence directory of this host, up to what is committed. One caller at a time.
///
/// Unlike segment_reader it never looks for another place than it is asked for: a place where no line ends is no place.
class evidence_source final : public committed_log {
 public:
  using position_function = std::function<segment_position()>;

  /// `committed`: segment_log::committed_position() of the log that writes there.
  evidence_source(std::filesystem::path dir, position_function committed, file_system& files = real_file_system())
      : files_(files), dir_(std::move(dir)), committed_(std::move(committed)) {}

  segment_position first_kept() override;
  segment_position committed() override { return committed_(); }
  std::optional<line_hash> hash_before(segment_position place) override;
  std::uint64_t bytes_between(segment_position from, segment_position to) override;
  reading read(segment_position after, std::size_t most) override;

  /// Of the last reading that failed.
  const std::error_code& failure() const { return failure_; }

 private:
  enum class found : std::uint8_t { opened, absent, failed };

  found open_segment(std::uint64_t segment);
  /// The oldest segment from this one on.
  std::optional<std::uint64_t> next_segment(std::uint64_t from);
  std::optional<std::uint64_t> readable_end(std::uint64_t segment, segment_position limit);
  reading read_from(segment_position after, segment_position from, std::uint64_t end, std::size_t most);
  bool fill(std::uint64_t offset, std::size_t bytes);
  reading fail();

  file_system& files_;
  const std::filesystem::path dir_;
  const position_function committed_;
  file_descriptor file_;
  std::uint64_t segment_ = 0;
  std::string buffer_;
  std::error_code failure_;
};

}  // namespace cellos
