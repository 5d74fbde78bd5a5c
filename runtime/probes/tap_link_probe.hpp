#pragma once

#include <memory>
#include <string>

#include "runtime/probes/link_messages.hpp"
#include "runtime/probes/privileged_reads.hpp"
#include "runtime/probes/probe.hpp"
#include "runtime/probes/shared_source.hpp"

namespace cellos {

using link_source = shared_source<link_table>;

/// Links of a network namespace, for all cells that have their tap in it.
std::shared_ptr<link_source> links_of(const std::string& namespace_path, const privileged_reads_ptr& by = own_reads());

/// `host.tap_link`: the cell's interface on the host. `io` where there is none of that name.
class tap_link_probe final : public probe {
 public:
  /// `namespace_path` as `links` was made with.
  tap_link_probe(std::shared_ptr<link_source> links, const std::string& namespace_path, std::string interface);

  host_probe source() const override { return host_probe::tap_link; }
  probe_result<probe_reading> read(const probe_context& context) override;

 private:
  std::shared_ptr<link_source> links_;
  std::string interface_;
  std::string inputs_;
};

}  // namespace cellos
