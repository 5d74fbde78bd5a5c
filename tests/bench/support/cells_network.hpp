#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "tests/support/files.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::bench {

/// Interfaces and nftables tables of many cells, `cfc-N` and `inet cellN`, in a namespace that goes with the object.
class cells_network {
 public:
  cells_network(std::size_t cells, const test::temporary_directory& dir)
      : name_(fmt::format("cellos-bench-{}", ::getpid())) {
    std::string links;
    std::string tables;
    for (std::size_t i = 0; i < cells; ++i) {
      links += fmt::format("tuntap add cfc-{} mode tap\n", i);
      tables += fmt::format(
          "table inet cell{0} {{\n counter syn {{ }}\n chain c {{\n type filter hook forward priority 0;\n"
          " iifname \"cfc-{0}\" tcp flags syn / fin,syn,rst,ack counter name syn\n iifname \"cfc-{0}\" counter\n "
          "}}\n}}\n",
          i);
    }
    test::write_file(dir / "links", links);
    test::write_file(dir / "tables", tables);
    has_links_ = runs("ip netns add " + name_) && runs("ip -n " + name_ + " -batch " + (dir / "links").string());
    has_tables_ = has_links_ && runs("ip netns exec " + name_ + " nft -f " + (dir / "tables").string());
  }
  cells_network(const cells_network&) = delete;
  cells_network& operator=(const cells_network&) = delete;
  ~cells_network() { runs("ip netns del " + name_); }

  bool has_links() const { return has_links_; }
  bool has_tables() const { return has_tables_; }
  std::string path() const { return "/run/netns/" + name_; }

 private:
  static bool runs(const std::string& words) {
    test::process command{{"/bin/sh", {"-c", words}}};
    return command.wait(std::chrono::minutes{2}) == 0;
  }

  std::string name_;
  bool has_links_ = false;
  bool has_tables_ = false;
};

}  // namespace cellos::bench
