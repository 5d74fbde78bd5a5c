#include "runtime/probes/cgroup_probe.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/escaped_text.hpp"
#include "messages/utf8.hpp"
#include "runtime/probes/source_file.hpp"
#include "runtime/probes/source_text.hpp"

namespace cellos {

namespace {

constexpr std::size_t longest_file = 16384;
constexpr std::size_t longest_membership = 65536;

enum class form : std::uint8_t { flat, single, pressure };

struct known_file {
  std::string_view name;
  form has;
};

// In RFC 8785 order: readings have a member for each.
constexpr std::array v2_files{
    known_file{"cgroup.events", form::flat},
    known_file{"cpu.pressure", form::pressure},
    known_file{"cpu.stat", form::flat},
    known_file{"io.pressure", form::pressure},
    known_file{"memory.current", form::single},
    known_file{"memory.events", form::flat},
    known_file{"memory.pressure", form::pressure},
    known_file{"pids.current", form::single},
    known_file{"pids.events", form::flat},
};
constexpr std::array cpuacct_files{known_file{"cpuacct.stat", form::flat}, known_file{"cpuacct.usage", form::single}};
constexpr std::array memory_files{known_file{"memory.failcnt", form::single},
                                  known_file{"memory.oom_control", form::flat},
                                  known_file{"memory.usage_in_bytes", form::single}};
constexpr std::array pids_files{known_file{"pids.current", form::single}, known_file{"pids.events", form::flat}};

void write_pressure_line(json::object_writer& output, std::string_view who, const pressure_line& line) {
  const auto members = [&](json::object_writer& object) {
    object.text("avg10", line.avg10);
    object.text("avg300", line.avg300);
    object.text("avg60", line.avg60);
    object.count("totalUs", line.total_us);
  };
  output.member(who, json::object_of(members));
}

/// The file's content as a member, or false if it has not the form it should have.
bool write_content(json::object_writer& output, const known_file& file, std::string_view content) {
  if (file.has == form::single) {
    const auto value = parse_single_value(content);
    if (value) output.count(file.name, *value);
    return value.has_value();
  }
  if (file.has == form::flat) {
    auto values = parse_flat_values(content);
    if (!values) return false;
    std::sort(values->begin(), values->end());
    const auto members = [&](json::object_writer& object) {
      for (const auto& [key, value] : *values) object.count(key, value);
    };
    output.member(file.name, json::object_of(members));
    return true;
  }
  const auto parsed = parse_pressure(content);
  if (!parsed) return false;
  const auto members = [&](json::object_writer& object) {
    if (parsed->full) write_pressure_line(object, "full", *parsed->full);
    if (parsed->some) write_pressure_line(object, "some", *parsed->some);
  };
  output.member(file.name, json::object_of(members));
  return true;
}

/// A leaf as a member `version`; an error if there is no such group.
std::optional<probe_error> write_group(json::object_writer& output, std::string_view version, const std::string& root,
                                       const std::string& path, const auto& files) {
  const auto directory = open_trusted_directory(path.empty() ? root : root + "/" + path);
  if (!directory) return directory.error();
  std::optional<probe_error> error;
  std::size_t found = 0;
  const auto members = [&](json::object_writer& object) {
    for (const known_file& file : files) {
      const auto content = read_kernel_file(directory->get(), std::string{file.name}, longest_file);
      if (!content) {
        error = content.error();
      } else if (*content && !write_content(object, file, **content)) {
        error = probe_error{probe_error_kind::malformed_source, std::string{file.name} + " has another form"};
      } else if (*content) {
        ++found;
      }
      if (error) return;
    }
  };
  output.member(version, json::object_of(members));
  if (!error && found == 0) {
    error = probe_error{probe_error_kind::malformed_source, "\"" + escaped(path, 200) + "\" is no control group"};
  }
  return error;
}

/// A path as JSON may have it; the kernel lets any bytes be a name.
std::string written(const std::string& path) { return is_valid_utf8(path) ? path : escaped(path, 4096); }

std::optional<std::string> beneath_root(std::optional<std::string> path) {
  return path && !path->empty() ? std::move(path) : std::nullopt;
}

}  // namespace

cgroup_place place_of(const cgroup_membership& membership) {
  return {beneath_root(membership.v2), beneath_root(membership.v1_path("memory")),
          beneath_root(membership.v1_path("pids")), beneath_root(membership.v1_path("cpuacct"))};
}

probe_result<cgroup_place> place_of(const vmm_process& process) {
  const auto text = read_kernel_file(process.directory.get(), "cgroup", longest_membership);
  if (!text) return text.error();
  if (!*text) return probe_error{probe_error_kind::io, "the VMM has ended"};
  const auto membership = parse_cgroup_membership(**text);
  if (!membership) return probe_error{probe_error_kind::malformed_source, "/proc/PID/cgroup has another form"};
  const auto place = place_of(*membership);
  if (place == cgroup_place{}) return probe_error{probe_error_kind::io, "the VMM is in no control group of its own"};
  return place;
}

cgroup_probe::cgroup_probe(cgroup_roots roots, cgroup_place place)
    : roots_(std::move(roots)), place_(std::move(place)), inputs_(json_object([this](json::object_writer& inputs) {
        if (place_.v1_cpuacct) inputs.text("cpuacct", written(roots_.v1 + "/cpuacct/" + *place_.v1_cpuacct));
        if (place_.v1_memory) inputs.text("memory", written(roots_.v1 + "/memory/" + *place_.v1_memory));
        if (place_.v1_pids) inputs.text("pids", written(roots_.v1 + "/pids/" + *place_.v1_pids));
        if (place_.v2) inputs.text("v2", written(roots_.v2 + "/" + *place_.v2));
      })) {}

probe_result<probe_reading> cgroup_probe::read(const probe_context&) {
  std::optional<probe_error> error;
  probe_reading reading{source(), inputs_, {}, std::nullopt};
  reading.output = json_object([&](json::object_writer& output) {
    const auto add = [&](std::string_view name, const std::string& root, const std::optional<std::string>& path,
                         const auto& files) {
      if (path && !error) error = write_group(output, name, root, *path, files);
    };
    add("cpuacct", roots_.v1 + "/cpuacct", place_.v1_cpuacct, cpuacct_files);
    add("memory", roots_.v1 + "/memory", place_.v1_memory, memory_files);
    add("pids", roots_.v1 + "/pids", place_.v1_pids, pids_files);
    add("v2", roots_.v2, place_.v2, v2_files);
  });
  if (error) return *error;
  return reading;
}

named_cgroup_probe::named_cgroup_probe(cgroup_roots roots, const std::string& path)
    : roots_(std::move(roots)), path_(path.substr(std::min(path.find_first_not_of('/'), path.size()))) {}

/// Where it is may change: the VMM's jailer makes it, and it goes with the VMM.
probe_result<probe_reading> named_cgroup_probe::read(const probe_context& context) {
  const auto place_in = [this](const std::string& root) {
    return open_trusted_directory(root + "/" + path_) ? std::optional{path_} : std::nullopt;
  };
  const cgroup_place place{place_in(roots_.v2), place_in(roots_.v1 + "/memory"), place_in(roots_.v1 + "/pids"),
                           place_in(roots_.v1 + "/cpuacct")};
  if (place == cgroup_place{}) {
    return probe_error{probe_error_kind::io, "\"" + escaped(path_, 200) + "\" is in no hierarchy beneath \"" +
                                                 escaped(roots_.v1, 200) + "\""};
  }
  return cgroup_probe{roots_, place}.read(context);
}

}  // namespace cellos
