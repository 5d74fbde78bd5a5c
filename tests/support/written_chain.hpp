#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "actors/host_event_chain.hpp"
#include "runtime/collector/own_chain.hpp"
#include "runtime/segments/segment_name.hpp"
#include "tests/support/files.hpp"
#include "tests/support/manual_world.hpp"

namespace cellos::test {

/// A collector's own chain, written by what the daemon writes it with, as the one segment of a directory. Made again in
/// the same directory it is the next process's.
class written_chain final : public own_chain {
 public:
  explicit written_chain(const std::filesystem::path& dir, const event_sealing_ptr& sealing = nullptr)
      : file_(dir / segment_file_name(1)), chain_("collector-1", log_, clock_, sealing, {}, epochs_) {
    if (chain_.record(daemon_start{"1.2.3"})) throw std::runtime_error("the chain begins with nothing");
    flush();
  }

  bool is_open() const override { return opened; }
  bool is_idle() const override { return opened && !blocked; }
  void say(std::vector<node_statement> statements) override {
    joint_append what;
    for (node_statement& each : statements) {
      what.behind.emplace_back(std::make_shared<const node_statement>(std::move(each)));
    }
    if (chain_.append(what)) throw std::runtime_error("the chain takes nothing");
    flush();
  }
  void stop() {
    if (chain_.record(daemon_stop{})) throw std::runtime_error("the chain takes nothing");
    flush();
  }

  bool opened = true;
  bool blocked = false;

 private:
  void flush() { add_to_file(file_, std::exchange(log_.text, {})); }

  std::filesystem::path file_;
  memory_log log_;
  manual_clock clock_;
  chain_epochs epochs_;
  host_event_chain chain_;
};

}  // namespace cellos::test
