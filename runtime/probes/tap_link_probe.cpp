#include "runtime/probes/tap_link_probe.hpp"

#include <utility>

#include "runtime/probes/link_source.hpp"
#include "runtime/probes/source_text.hpp"

namespace cellos {

std::shared_ptr<link_source> links_of(const std::string& namespace_path, const privileged_reads_ptr& by) {
  return std::make_shared<link_source>(
      [namespace_path, by](monotonic_time deadline) { return read_links(namespace_path, deadline, by); });
}

tap_link_probe::tap_link_probe(std::shared_ptr<link_source> links, const std::string& namespace_path,
                               std::string interface)
    : links_(std::move(links)), interface_(std::move(interface)), inputs_(json_object([&](json::object_writer& inputs) {
        inputs.text("interface", interface_);
        if (!namespace_path.empty()) inputs.text("networkNamespace", namespace_path);
      })) {}

probe_result<probe_reading> tap_link_probe::read(const probe_context& context) {
  const auto snapshot = links_->of(context);
  const auto& links = *snapshot;
  if (!links) return links.error();
  const auto place = links->find(interface_);
  if (place == links->end()) return probe_error{probe_error_kind::io, "there is no interface " + interface_};
  const link_state& link = place->second;
  probe_reading reading{source(), inputs_, {}, std::nullopt};
  reading.output = json_object([&](json::object_writer& output) {
    write_flag(output, "carrier", link.carrier);
    output.number("carrierChanges", link.carrier_changes);
    output.number("index", link.index);
    output.text("operstate", link.operstate);
    output.count("rxBytes", link.rx_bytes);
    output.count("rxDropped", link.rx_dropped);
    output.count("rxErrors", link.rx_errors);
    output.count("rxPackets", link.rx_packets);
    output.count("txBytes", link.tx_bytes);
    output.count("txDropped", link.tx_dropped);
    output.count("txErrors", link.tx_errors);
    output.count("txPackets", link.tx_packets);
    write_flag(output, "up", link.up);
  });
  return reading;
}

}  // namespace cellos
